package clients

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// each runs a test with both versions of MQTT, against one gateway, and compares its file with what was published.
func each(t *testing.T, test func(t *testing.T, g *gateway, version string)) {
	t.Parallel()
	g := start(t)
	t.Run("versions", func(t *testing.T) {
		for _, version := range versions {
			t.Run(version, func(t *testing.T) { t.Parallel(); test(t, g, version) })
		}
	})
	g.settle()
}

// A retained message comes to those who subscribe later, marked, until an empty one takes its place.
func TestMosquittoRetains(t *testing.T) {
	each(t, func(t *testing.T, g *gateway, version string) {
		topic := "site/kept/" + version
		g.pub(t, "tcp", device, message{topic, "first", 1}, "-V", version, "-r")
		g.pub(t, "tcp", device, message{topic, "second", 2}, "-V", version, "-r")
		late := g.sub(t, "late"+version, "tcp", reader, "%r %p", "-V", version, "-q", "2", "-t", topic)
		late.lines(1)
		g.pub(t, "tcp", device, message{topic, "third", 1}, "-V", version)
		if got := late.lines(2); !slices.Equal(got, []string{"1 second", "0 third"}) {
			t.Errorf("a late subscriber got %q", got)
		}
		g.pub(t, "tcp", device, message{topic, "", 1}, "-V", version, "-r")
		after := g.sub(t, "after"+version, "tcp", reader, "%r %p", "-V", version, "-q", "2", "-t", topic)
		g.pub(t, "tcp", device, message{topic, "fourth", 1}, "-V", version)
		if got := after.lines(1); !slices.Equal(got, []string{"0 fourth"}) {
			t.Errorf("after the retained message was cleared, a subscriber got %q", got)
		}
	})
}

// The will of a client that was killed is published and stored; that of one that says goodbye is not.
func TestMosquittoLeavesAWill(t *testing.T) {
	each(t, func(t *testing.T, g *gateway, version string) {
		topic := "site/will/" + version
		will := []string{"-V", version, "-t", "other/" + version, "--will-topic", topic, "--will-qos", "1", "--will-retain"}
		kind := ""
		if version == "mqttv5" {
			kind, will = "x/will", append(will, "-D", "will", "content-type", "x/will")
		}
		heir := g.sub(t, "heir"+version, "tcp", reader, "%q %r %C %p", "-V", version, "-q", "1", "-t", topic)
		leaves := g.sub(t, "leaves"+version, "tcp", device, "%p", slices.Concat(will, []string{"--will-payload", "left", "-C", "1"})...)
		g.pub(t, "tcp", device, message{"other/" + version, "go", 1}) // one message, and it disconnects
		<-leaves.ended
		killed := g.sub(t, "killed"+version, "tcp", device, "%p", slices.Concat(will, []string{"--will-payload", "killed"})...)
		killed.kill()
		g.published(message{topic, "killed", 1})
		if got := heir.lines(1); !slices.Equal(got, []string{"1 0 " + kind + " killed"}) {
			t.Errorf("the will came as %q", got)
		}
		if late := g.sub(t, "late"+version, "tcp", reader, "%r %p", "-V", version, "-t", topic); late.lines(1)[0] != "1 killed" {
			t.Errorf("the retained will is %q", late.lines(1))
		}
	})
}

// What is published while a persistent client is away waits for it, also across a crash of its own.
func TestMosquittoComesBackToItsSession(t *testing.T) {
	each(t, func(t *testing.T, g *gateway, version string) {
		topic, id := "site/away/"+version, "away"+version
		session := []string{"-V", version, "-c", "-q", "2", "-t", topic}
		first := g.sub(t, id, "tcp", reader, whole, session...)
		first.kill()
		var want []message
		for i := range 8 { // first those with QoS 1: mosquitto_sub prints others when they are complete
			m := message{topic, fmt.Sprintf("while away %d", i), byte(1 + i/4)}
			g.pub(t, "tcp", device, m, "-V", version)
			want = append(want, m)
		}
		if err := same(want, g.sub(t, id, "tcp", reader, whole, session...).messages(len(want))); err != nil {
			t.Error(err)
		}
	})
}

// Properties of MQTT 5 come out as they went in.
func TestMosquittoPassesPropertiesOn(t *testing.T) {
	t.Parallel()
	g := start(t)
	s := g.sub(t, "props", "tcp", reader, "%C|%R|%D|%F|%P|%p", "-V", "mqttv5", "-q", "1", "-t", "site/props")
	g.pub(t, "tcp", device, message{"site/props", "21.5", 1}, "-V", "mqttv5", "-D", "publish", "content-type", "text/plain",
		"-D", "publish", "response-topic", "other/answer", "-D", "publish", "correlation-data", "0815", "-D", "publish", "payload-format-indicator", "1",
		"-D", "publish", "user-property", "unit", "°C", "-D", "publish", "user-property", "unit", "K")
	if got := s.lines(1)[0]; got != "text/plain|other/answer|0815|1|unit:°C unit:K|21.5" {
		t.Errorf("the subscriber got %q", got)
	}
	g.settle()
}

// mosquitto_rr asks, a shell's mosquitto_sub and mosquitto_pub answer.
func TestMosquittoAsksAndIsAnswered(t *testing.T) {
	each(t, func(t *testing.T, g *gateway, version string) {
		question, answer := "site/ask/"+version, "other/answer/"+version
		server := g.sub(t, "server"+version, "tcp", device, "%R|%D|%p", "-V", version, "-q", "1", "-t", question)
		args := []string{"-V", version, "-q", "1", "-t", question, "-e", answer, "-m", "how warm?", "-W", "180"}
		if version == "mqttv5" {
			args = append(args, "-D", "publish", "correlation-data", "77")
		}
		rr := g.mosquitto(t, "mosquitto_rr", "tcp", device, args...)
		out := make(chan string, 1)
		go func() { text, err := rr.CombinedOutput(); out <- fmt.Sprint(string(text), err) }()
		want, reply := "||how warm?", []string{"-V", version}
		if version == "mqttv5" {
			want, reply = answer+"|77|how warm?", append(reply, "-D", "publish", "correlation-data", "77")
		}
		if got := server.lines(1)[0]; got != want {
			t.Errorf("the question is %q, want %q", got, want)
		}
		g.published(message{question, "how warm?", 1})
		g.pub(t, "tcp", device, message{answer, "21.5 °C", 1}, reply...)
		if got := <-out; got != "21.5 °C\n<nil>" {
			t.Errorf("mosquitto_rr says %q", got)
		}
	})
}

// Who is refused is told so, by the client, in words; and nothing of it is stored.
func TestMosquittoSaysWhatWasRefused(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.pub(t, "tcp", device, message{"site/ok", "stored", 1})
	said := func(cmd *exec.Cmd) string {
		out, err := cmd.CombinedOutput()
		return fmt.Sprintf("%s%v", out, err)
	}
	for _, c := range []struct {
		what, version, tool, user string
		args                      []string
		want                      string // in what is said
	}{
		{"wrong password", "mqttv311", "mosquitto_pub", "", []string{"-u", device, "-P", "wrong", "-t", "site/a", "-m", "x"}, "Connection Refused: bad user name or password"},
		{"wrong password", "mqttv5", "mosquitto_pub", "", []string{"-u", device, "-P", "wrong", "-t", "site/a", "-m", "x"}, "Bad User Name or Password"},
		{"no name", "mqttv311", "mosquitto_pub", "", []string{"-t", "site/a", "-m", "x"}, "Connection Refused: not authorised"},
		{"no name", "mqttv5", "mosquitto_pub", "", []string{"-t", "site/a", "-m", "x"}, "Not authorized"},
		{"publish 1", "mqttv311", "mosquitto_pub", device, []string{"-t", "site/secret/a", "-m", "x", "-q", "1"}, "The connection was lost"},
		{"publish 1", "mqttv5", "mosquitto_pub", device, []string{"-t", "site/secret/a", "-m", "x", "-q", "1"}, "Publish 1 failed: Not authorized"},
		{"publish 2", "mqttv5", "mosquitto_pub", device, []string{"-t", "site/secret/a", "-m", "x", "-q", "2"}, "Publish 1 failed: Not authorized"},
		{"subscribe", "mqttv311", "mosquitto_sub", device, []string{"-t", "site/secret/#", "-W", "180"}, "All subscription requests were denied"},
		{"subscribe", "mqttv5", "mosquitto_sub", device, []string{"-t", "site/secret/#", "-W", "180"}, "All subscription requests were denied"},
		{"will", "mqttv311", "mosquitto_sub", device, []string{"-t", "site/a", "--will-topic", "site/secret/a", "-W", "180"}, "Connection Refused: not authorised"},
		{"will", "mqttv5", "mosquitto_sub", device, []string{"-t", "site/a", "--will-topic", "site/secret/a", "-W", "180"}, "Not authorized"},
	} {
		if got := said(g.mosquitto(t, c.tool, "tcp", c.user, append(c.args, "-V", c.version)...)); !strings.Contains(got, c.want) {
			t.Errorf("%s, %s: %s says %q, want %q", c.what, c.version, c.tool, got, c.want)
		}
	}
	g.settle()
}
