package http

import (
	"context"

	"edged"
	"edged/sinks/post"
)

// sink implements edged.Sink. It has no receipt: what was answered is done, and the key says the rest.
type sink struct {
	shape  shape
	poster *post.Poster
	body   []byte // scratch: one request's
}

// Open reads the certificates. It does not connect: a server that is away is met by the first Write.
func (s *sink) Open(ctx context.Context, _ []byte, _ []edged.Delivery) error {
	if s.shape.err != nil {
		return edged.WithClass(s.shape.err, edged.Permanent)
	}
	return s.poster.Open(ctx)
}

// Write sends one request a delivery, in order, up to the first that is not taken. One without rows is done without a request.
func (s *sink) Write(ctx context.Context, turn []edged.Delivery) (int, []byte, error) {
	for i := range turn {
		if err := ctx.Err(); err != nil {
			return i, nil, err
		}
		if turn[i].Rows.Len() == 0 {
			continue
		}
		s.body = s.shape.lines(s.body[:0], turn[i].Rows)
		if err := s.poster.Post(ctx, turn[i].Key, s.body); err != nil {
			return i, nil, err
		}
	}
	return len(turn), nil, nil
}

// Close closes the connection.
func (s *sink) Close() error {
	s.poster.Close()
	return nil
}
