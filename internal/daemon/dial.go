package daemon

import (
	"context"
	"errors"

	"edged"
	"edged/broker/remote"
	"edged/sinks/spec"
)

// dial gives a sink its way to a broker: an external one, or the one in this process.
func (d *Daemon) dial(ctx context.Context, to spec.Remote) (spec.Publisher, error) {
	if to != nil {
		s, err := remote.Dial(ctx, to.(*remote.Access))
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	if d.broker == nil {
		return nil, edged.Explain(errors.New("the embedded broker does not run, because nothing is to be taken in (--no-receivers)"), "the embedded broker does not run", "start edged without --no-receivers")
	}
	return d.broker.NewInner(), nil
}
