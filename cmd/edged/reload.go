package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"edged/configs"
)

type reloadCmd struct{ endpoint }

// reloadWithin is how long a reload may take: each part that stops may have to wait for commits on a slow card.
const reloadWithin = 4 * time.Minute

// Run implements the command: what changed goes to standard output, a line each; what is wrong to standard error.
func (c *reloadCmd) Run(w world) error {
	ctx, stop := interruptible()
	defer stop()
	g, err := c.reach(w)
	if errors.Is(err, errSaid) {
		c.sayTheRest(w)
		return err
	}
	if err != nil {
		return err
	}
	g.client.Transport.(*http.Transport).ResponseHeaderTimeout = reloadWithin
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.base+"/api/reload", nil)
	if err != nil {
		return err
	}
	res, err := g.do(req)
	if err != nil {
		return err
	}
	switch res.StatusCode {
	case http.StatusOK:
		defer res.Body.Close()
		_, err = io.Copy(w.out, res.Body)
		return err
	case http.StatusConflict:
		defer res.Body.Close()
		if _, err = io.Copy(w.err, res.Body); err == nil {
			err = errSaid
		}
		return err
	}
	return g.refusal(res)
}

// sayTheRest prints the mistakes of a file of which so much is wrong that the gateway cannot be asked: those of [http] were printed.
func (c *reloadCmd) sayTheRest(w world) {
	file, text, err := c.read()
	if err != nil {
		return
	}
	said := map[string]bool{}
	_, _, problems := configs.LoadHTTP(file, text)
	for _, p := range problems {
		said[p.String()] = true
	}
	_, problems, _ = configs.Load(file, text)
	for _, p := range problems {
		if !said[p.String()] {
			fmt.Fprintln(w.err, p)
		}
	}
}
