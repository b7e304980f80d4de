package receiver

import (
	"context"
	"fmt"
	"net"
	"time"

	"edged"
)

// dialWithin is how long a connection may take to be made.
const dialWithin = 10 * time.Second

// dialer is a receiver that connects to where the lines come from.
type dialer tcp

// Run implements edged.Receiver: it takes what one connection brings. Its end is a retryable error, also when the other side has closed
// it: there may be more lines later.
func (d *dialer) Run(ctx context.Context, h edged.Handler) error {
	r := (*tcp)(d)
	nd := net.Dialer{Timeout: dialWithin}
	c, err := nd.DialContext(ctx, "tcp", r.Dial)
	if err != nil {
		return fmt.Errorf("connecting for lines: %w", err)
	}
	r.log.Info("connected for lines", "receiver", r.name, "address", r.Dial)
	if err := r.serve(ctx, c, h); err != nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%s has closed the connection", r.Dial)
}
