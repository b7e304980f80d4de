package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"edged/internal/daemon"
)

type tailCmd struct {
	Topic string `arg:"" help:"Topic or filter, such as site/#."`
	endpoint
}

// Run implements the command: it prints a line a message until it is interrupted.
func (c *tailCmd) Run(w world) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	res, err := c.get(ctx, w, "/api/tail?topic="+url.QueryEscape(c.Topic))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var m daemon.Tailed
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return fmt.Errorf("the gateway's answer cannot be read: %w", err)
		}
		payload := m.Payload
		if m.PayloadBase64 != "" {
			payload = "base64:" + m.PayloadBase64
		}
		if _, err := fmt.Fprintf(w.out, "%s %s %s\n", m.Time.Local().Format(time.TimeOnly), m.Topic, payload); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("the gateway has gone: %w", err)
	}
	return fmt.Errorf("the gateway has ended the tail: it is stopping")
}
