package wire

// Reason codes (MQTT 5, 2.4) that the gateway sends or understands.
const (
	Success               byte = 0x00
	DisconnectWithWill    byte = 0x04
	NoSubscription        byte = 0x11
	Unspecified           byte = 0x80
	Malformed             byte = 0x81
	ProtocolError         byte = 0x82
	ImplementationError   byte = 0x83
	UnsupportedVersion    byte = 0x84
	BadClientID           byte = 0x85
	BadLogin              byte = 0x86
	NotAuthorized         byte = 0x87
	ServerUnavailable     byte = 0x88
	ServerBusy            byte = 0x89
	ShuttingDown          byte = 0x8B
	BadAuthMethod         byte = 0x8C
	KeepAliveTimeout      byte = 0x8D
	TakenOver             byte = 0x8E
	BadFilter             byte = 0x8F
	BadTopic              byte = 0x90
	IDNotFound            byte = 0x92
	ReceiveMaximum        byte = 0x93
	BadAlias              byte = 0x94
	PacketTooLarge        byte = 0x95
	RateTooHigh           byte = 0x96
	QuotaExceeded         byte = 0x97
	AdministrativeAction  byte = 0x98
	ConnectionRateTooHigh byte = 0x9F
)

// Error is what is wrong with a packet. An MQTT 5 client is told the code; Why is for the log.
type Error struct {
	Code byte
	Why  string
}

func (e *Error) Error() string { return e.Why }

// Invalid says whether the packet breaks a rule of MQTT. If it does not, what it asks for was refused.
func (e *Error) Invalid() bool {
	switch e.Code {
	case BadLogin, NotAuthorized, BadAuthMethod, ServerBusy, QuotaExceeded, ConnectionRateTooHigh:
		return false
	}
	return true
}

func malformed(why string) error { return &Error{Malformed, why} }

func violation(why string) error { return &Error{ProtocolError, why} }

// V3Code is the return code of a 3.1.1 CONNACK (3.2.2.3) that says the same as a reason code.
func V3Code(code byte) byte {
	switch code {
	case Success:
		return 0
	case UnsupportedVersion:
		return 1
	case BadClientID:
		return 2
	case BadLogin:
		return 4
	case NotAuthorized, BadAuthMethod, ConnectionRateTooHigh:
		return 5
	}
	return 3 // server unavailable
}
