package receiver

// State is where a Generator is in its life (Spark: BlockGenerator.GeneratorState).
type State uint8

// The states, in order.
const (
	Initialized             State = iota
	Active                        // messages are taken, blocks are cut
	StoppedAddingData             // no message is taken any more
	StoppedGeneratingBlocks       // the last block is cut
	StoppedAll                    // every block is stored or given back
)

// String names the state as the configuration's users see it.
func (s State) String() string {
	return [...]string{"initialized", "active", "stopped adding data", "stopped generating blocks", "stopped"}[s]
}
