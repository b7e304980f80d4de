package http

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	nethttp "net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edged/internal/secret"

	"edged"
)

// TestTLS: a CA of one's own, a client certificate the server asks for, and a server that would rather speak HTTP/2.
func TestTLS(t *testing.T) {
	e := env(t)
	s := &server{conns: map[string]bool{}}
	s.Server = httptest.NewUnstartedServer(s)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
	cert, key := selfSigned(t)
	s.TLS.ClientCAs.AppendCertsFromPEM(cert)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the stranger below
	s.StartTLS()
	t.Cleanup(s.Close)
	write(t, filepath.Join(e.DataDir, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	write(t, filepath.Join(e.DataDir, "cert.pem"), string(cert))
	write(t, filepath.Join(e.DataDir, "key.pem"), string(key))
	c := Default()
	c.URL, c.TLS = s.URL, secret.TLS{CA: "ca.pem", Cert: "cert.pem", Key: "key.pem"}
	var others atomic.Int32 // requests of another protocol than HTTP/1.1
	s.answer = func(_ nethttp.ResponseWriter, r *nethttp.Request) bool {
		if r.ProtoMajor != 1 {
			others.Add(1)
		}
		return false
	}
	sink := open(t, c, e)
	for range 3 {
		if _, _, err := sink.Write(t.Context(), []edged.Delivery{row("k", "a")}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.arrivals()) != 3 || len(s.conns) != 1 {
		t.Errorf("%d requests on %d connections", len(s.arrivals()), len(s.conns))
	}
	if n := others.Load(); n > 0 {
		t.Errorf("%d requests of HTTP/2", n)
	}

	stranger := Default()
	stranger.URL = s.URL
	_, _, err := open(t, stranger, e).Write(t.Context(), []edged.Delivery{row("k", "a")})
	if err == nil || edged.ClassOf(err) != edged.Retryable || !strings.HasSuffix(err.Error(), "for a CA of your own set tls.ca") {
		t.Errorf("a certificate of nobody known: %v", err)
	}

	c.TLS.CA = "nosuch"
	if err := c.New(e).Open(t.Context(), nil, nil); err == nil {
		t.Error("opened without its CA")
	}
}

func caPEM(t *testing.T) []byte {
	cert, _ := selfSigned(t)
	return cert
}

// selfSigned makes a certificate that is its own CA.
func selfSigned(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}
