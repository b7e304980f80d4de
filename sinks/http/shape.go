package http

import (
	"mime"
	"strings"

	"edged"
	"edged/internal/conf"
	"edged/sinks/encode"
	"edged/sinks/post"
	"edged/sinks/spec"
)

// shape is how rows become a body, and what that is.
type shape struct {
	lines       func(dst []byte, rows *edged.Rows) []byte
	contentType string
	err         error // of templates that do not compile; Check has said it before
}

// shape is that of the configuration: templates, if there are any, else the format.
func (c *Config) shape() (s shape) {
	switch {
	case c.Body.Set():
		t, err := c.Body.Compile()
		s = shape{lines: t.Append, contentType: "application/json", err: err}
	case c.Format == "json":
		s = shape{lines: encode.AppendJSON, contentType: "application/json"}
	default:
		s = shape{lines: encode.AppendNDJSON, contentType: "application/x-ndjson"}
	}
	if c.ContentType != "" {
		s.contentType = c.ContentType
	}
	return s
}

// Named implements spec.Names.
func (c *Config) Named() (list []spec.Named) {
	for _, name := range c.Body.Columns() {
		list = append(list, spec.Named{Table: "body", Key: "row", Column: name})
	}
	return list
}

func (c *Config) checkShape(t *conf.Table) {
	if sub := t.Sub("body"); sub != nil {
		c.Body.Check(sub)
		if t.Has("format") {
			t.Notef("format", "format has no effect: body says what is sent")
		}
	}
	if c.ContentType == "" {
		return
	}
	if _, _, err := mime.ParseMediaType(c.ContentType); err != nil || !post.ValidValue(c.ContentType) || !strings.Contains(c.ContentType, "/") {
		t.Errorf("content_type", "content_type: want a type such as \"application/json\", have %q", c.ContentType)
	}
}
