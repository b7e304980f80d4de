package port

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
)

// A port is given once, and stays free while the kernel gives ports to others.
func TestAPortStaysFree(t *testing.T) {
	given := map[int]bool{}
	for range 50 {
		n := Free(t)
		if given[n] {
			t.Fatalf("%d was given twice", n)
		}
		given[n] = true
	}
	for range 2000 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if given[l.Addr().(*net.TCPAddr).Port] {
			t.Fatalf("the kernel gave %v to another", l.Addr())
		}
	}
	for n := range given {
		l, err := net.Listen("tcp", address(n))
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}

// Another process does not get the port either: it takes it for claimed.
func TestAPortIsClaimed(t *testing.T) {
	n := Free(t)
	if c, err := net.ListenPacket("udp", address(n)); err == nil {
		c.Close()
		t.Fatal("another could claim it")
	}
	if b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		var from string
		for _, c := range string(b) {
			if c < '0' || c > '9' {
				break
			}
			from += string(c)
		}
		if least, _ := strconv.Atoi(from); n >= least {
			t.Fatalf("%d is one of those that the kernel gives, from %d", n, least)
		}
	}
}

// A port that somebody listens on is not free.
func TestAPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if isFree(l.Addr().(*net.TCPAddr).Port) {
		t.Fatal("a port is taken for free on which somebody listens")
	}
}

// A port can be listened on at once, whatever programs the process starts meanwhile: between its fork and its exec a child holds every socket that is open.
func TestAPortIsFreeAtOnce(t *testing.T) {
	stop := make(chan struct{})
	var others sync.WaitGroup
	for range 4 {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = exec.Command("/nosuch").Run()
					_ = exec.Command("true").Run()
				}
			}
		})
	}
	defer others.Wait()
	defer close(stop)
	for range 1000 {
		l, err := net.Listen("tcp", address(Free(t)))
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}
