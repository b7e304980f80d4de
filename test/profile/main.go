// Command profile makes a flame graph of the whole pipeline at saturation: make profile.
//
// It starts edged in a directory of its own (MQTT, JSON, windows of 10 s by device and pin, raw file and aggregate file), loads it with mqttload, fetches a profile
// of the processor meanwhile, and writes cpu.pb.gz, for go tool pprof, and flame.svg, which any browser shows.
package main

import (
	"edged/test/load"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// config is that of the goals, with profiles.
var config = load.With(load.With(load.Whole, "store", `max_bytes = "2GiB"`), "http", "pprof = true")

func main() {
	edged := flag.String("edged", "bin/edged", "the program that is looked at")
	generator := flag.String("load", "bin/mqttload", "the load generator")
	out := flag.String("out", "bench/out", "directory of the results")
	seconds := flag.Int("seconds", 10, "length of the profile")
	flag.Parse()
	if err := run(*edged, *generator, *out, *seconds); err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
}

func run(edged, generator, out string, seconds int) (err error) {
	dir, err := os.MkdirTemp("", "edged-profile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	httpPort, mqttPort, err := ports()
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "edged.toml")
	text := strings.NewReplacer("{{dir}}", dir, "{{http}}", httpPort, "{{broker}}", mqttPort).Replace(config)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	gateway := exec.Command(edged, "run", "--config", file)
	gateway.Stderr = os.Stderr
	if err := gateway.Start(); err != nil {
		return err
	}
	defer func() {
		_ = gateway.Process.Signal(os.Interrupt)
		_ = gateway.Wait() // it was measured: how it ends is for other tests
	}()
	base := "http://127.0.0.1:" + httpPort
	if err := ready(base); err != nil {
		return err
	}
	publisher := exec.Command(generator, "pub", "-addr", "127.0.0.1:"+mqttPort, "-n", "50", "-w", "100", "-qos", "1", "-d", fmt.Sprintf("%ds", seconds+3))
	result := &strings.Builder{}
	publisher.Stdout, publisher.Stderr = result, os.Stderr
	if err := publisher.Start(); err != nil {
		return err
	}
	time.Sleep(2 * time.Second) // not what happens once
	profile := filepath.Join(out, "cpu.pb.gz")
	err = fetch(fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", base, seconds), profile)
	if werr := publisher.Wait(); err == nil {
		err = werr
	}
	if err != nil {
		return err
	}
	fmt.Print(result)
	return draw(edged, profile, filepath.Join(out, "flame.svg"))
}

// draw makes the flame graph of a profile.
func draw(program, profile, svg string) error {
	text, err := exec.Command("go", "tool", "pprof", "-traces", program, profile).Output()
	if err != nil {
		return fmt.Errorf("go tool pprof: %w", err)
	}
	root, err := parse(string(text))
	if err != nil {
		return err
	}
	if err := os.WriteFile(svg, []byte(root.svg()), 0o644); err != nil {
		return err
	}
	fmt.Printf("%s: %.1f s of processor time; %s for go tool pprof\n", svg, root.total.Seconds(), profile)
	return nil
}

func ready(base string) error {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get(base + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return fmt.Errorf("the gateway is not ready after 10s")
}

func fetch(url, path string) error {
	res, err := http.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, res.Body); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// ports are two that nobody listens on now.
func ports() (a, b string, err error) {
	var got [2]string
	for i := range got {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", err
		}
		defer l.Close()
		_, got[i], _ = net.SplitHostPort(l.Addr().String())
	}
	return got[0], got[1], nil
}
