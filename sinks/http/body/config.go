package body

import (
	"fmt"

	"edged/internal/conf"
)

// Config is the body table of a sink.
type Config struct {
	Row       string `toml:"row" doc:"template of a row: '[{{unix_ms .time}},{{json .value}}]'. Values are .COLUMN, .stream and . (the whole row), a missing one is null; functions are json, text, unix, unix_ms, unix_us, unix_ns, date \"LAYOUT\", fixed DIGITS, default VALUE, and {{if has .x}}…{{else}}…{{end}} with eq, ne, not, and, or"`
	Separator string `toml:"separator" doc:"between two rows"`
	Prefix    string `toml:"prefix" doc:"template before the rows; values are .stream and .rows, their number"`
	Suffix    string `toml:"suffix" doc:"template behind the rows, as prefix"`
}

// Default returns the defaults.
func Default() Config { return Config{Separator: ","} }

// Set reports whether rows are written by a template.
func (c *Config) Set() bool { return c.Row != "" }

// Encoding names the bytes that the templates make of rows.
func (c *Config) Encoding() string {
	return fmt.Sprintf("template/1 %q %q %q %q", c.Prefix, c.Row, c.Separator, c.Suffix)
}

// Columns are the columns that the template of a row names; none if it is not right.
func (c *Config) Columns() (list []string) {
	_, names, err := compile("row", c.Row)
	for _, name := range names {
		if err == nil && name != "stream" && name != whole {
			list = append(list, name)
		}
	}
	return list
}

// Check reports what is wrong with the templates. t is the body table.
func (c *Config) Check(t *conf.Table) {
	if !c.Set() {
		t.Errorf("row", "[%s] needs row: the template of a row, such as row = '[{{unix_ms .time}},{{json .value}}]'", t.Title())
		return
	}
	if _, _, err := compile("row", c.Row); err != nil {
		t.Errorf("row", "%s.row: %v", t.Name(), err)
	}
	for key, text := range map[string]string{"prefix": c.Prefix, "suffix": c.Suffix} {
		_, names, err := compile(key, text)
		for _, name := range names {
			if err == nil && name != "stream" && name != "rows" {
				if name == whole {
					name = ", the whole row,"
				}
				err = fmt.Errorf("there is no .%s outside of a row: only .stream and .rows, their number", name)
			}
		}
		if err != nil {
			t.Errorf(key, "%s.%s: %v", t.Name(), key, err)
		}
	}
}
