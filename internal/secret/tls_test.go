package secret

import (
	"crypto/tls"
	"strings"
	"testing"
)

func TestOutboundTLSIsNeverOlderThan12AndAlwaysChecked(t *testing.T) {
	c, err := TLS{}.Config(t.TempDir())
	if err != nil || c.MinVersion != tls.VersionTLS12 || c.InsecureSkipVerify || c.RootCAs != nil {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestWhatOutboundTLSCannotBeMadeOf(t *testing.T) {
	dir := t.TempDir()
	for say, c := range map[string]TLS{
		"cannot read":               {CA: "nowhere.crt"},
		"cert and key belong":       {Cert: "a.crt"},
		"cannot use " + dir + "/a.": {Cert: "a.crt", Key: "a.key"},
	} {
		if _, err := c.Config(dir); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
