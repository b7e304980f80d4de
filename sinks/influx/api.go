package influx

import (
	"net/url"
	"strings"
)

// address is where to write to, with everything that the API wants in the query.
func (c *Config) address() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return c.URL // the request says what is wrong
	}
	q := u.Query()
	path := "/api/v2/write"
	switch c.API {
	case "v1":
		path = "/write"
		db, policy, found := strings.Cut(c.Database, "/")
		q.Set("db", db)
		if found {
			q.Set("rp", policy)
		}
	case "v3":
		path = "/api/v3/write_lp"
		q.Set("db", c.Database)
	default:
		q.Set("bucket", c.Bucket)
		if c.Org != "" {
			q.Set("org", c.Org)
		}
	}
	q.Set("precision", c.precision())
	u.Path, u.RawQuery = strings.TrimSuffix(u.Path, "/")+path, q.Encode()
	return u.String()
}

// precision is what the API calls it.
func (c *Config) precision() string {
	switch {
	case c.API == "v3":
		return map[string]string{"ns": "nanosecond", "us": "microsecond", "ms": "millisecond", "s": "second"}[c.Precision]
	case c.API == "v1" && c.Precision == "us":
		return "u"
	}
	return c.Precision
}

// scheme is how a token is sent.
func (c *Config) scheme() string {
	if c.API == "v3" {
		return "Bearer"
	}
	return "Token"
}

// remedy is what to do about an answer.
func (c *Config) remedy(code int) string {
	named := "database"
	if c.API == "v2" {
		named = "org and bucket"
	}
	switch code {
	case 401, 403:
		switch {
		case c.TokenFile != "":
			return "check token_file: the token must be one that may write to " + strings.Replace(named, "org and ", "the ", 1)
		case c.API == "v2":
			return "set token_file"
		}
	case 404:
		return "check url, api, " + strings.Replace(named, " and ", ", ", 1)
	}
	return ""
}
