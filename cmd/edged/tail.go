package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"edged/internal/daemon"
)

type tailCmd struct {
	Topic string `arg:"" help:"Topic or filter, such as site/#."`
	Raw   bool   `help:"Print payloads as they are, line breaks and control characters included."`
	endpoint
}

// Run implements the command: it prints a line a message until it is interrupted.
func (c *tailCmd) Run(w world) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out, err := c.stream(ctx, w, "/api/tail?topic="+url.QueryEscape(c.Topic))
	if err != nil {
		return err
	}
	defer out.Close()
	lines := bufio.NewScanner(out)
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
		if m.Missed > 0 {
			fmt.Fprintf(w.err, "edged: %d messages missed here, they came faster than they could be shown\n", m.Missed)
		}
		if !c.Raw {
			m.Topic, payload = visible(m.Topic), visible(payload)
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

// visible is foreign text with everything escaped that a terminal would act on, or that would break the line.
func visible(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
