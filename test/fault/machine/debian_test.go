//go:build linux

package machine

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"edged/test/harness"
	"edged/test/need"
)

// recipe is the version of what debian builds.
const recipe = "bookworm-1"

// first is what the machine with Debian starts with: it puts into the root what the test installs, as make install would, and becomes systemd.
const first = `#!/bin/sh
mount -t hostfs none /mnt -o "$EDGED_MACHINE"
cp -a /mnt/root/. /
systemd-sysusers
exec /sbin/init
`

// start runs the test, and leaves its exit code.
const start = "env $(cat /mnt/environment) /mnt/machine.test $(cat /mnt/arguments)\necho -n $? >/mnt/exit\n"

// unit runs the test in the machine, and switches it off after it.
const unit = `[Unit]
Description=the test
After=multi-user.target
[Service]
Type=oneshot
Environment=HOME=/root
StandardOutput=tty
StandardError=inherit
TTYPath=/dev/console
WorkingDirectory=/tmp
TimeoutStartSec=infinity
ExecStart=-/bin/sh /mnt/start
ExecStopPost=systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
`

// debian returns a disk with a small Debian on it. It is built once for all runs, in $EDGED_MACHINE_CACHE or the user's cache directory: a minute, and
// about 60 MB from Debian's mirror.
func debian(t *testing.T) string {
	t.Helper()
	bootstrap, mkfs := need.Tool(t, "mmdebstrap"), need.Tool(t, "mkfs.ext4")
	need.Root(t)
	cache := os.Getenv("EDGED_MACHINE_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(dir, "edged-test")
	}
	disk := filepath.Join(cache, "debian-"+recipe+".ext4")
	if _, err := os.Stat(disk); err == nil {
		return disk
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "debian")
	cmd := exec.Command(bootstrap, "--variant=essential", "--include=systemd,systemd-sysv,udev,dbus", "--dpkgopt=path-exclude=/usr/share/doc/*",
		"--dpkgopt=path-exclude=/usr/share/locale/*", "bookworm", root)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	if err := os.WriteFile(filepath.Join(root, "first"), []byte(first), 0o755); err != nil {
		t.Fatal(err)
	}
	half := disk + ".new"
	write(t, half, "")
	if err := os.Truncate(half, 1<<30); err != nil {
		t.Fatal(err)
	}
	harness.Run(t, mkfs, "-q", "-d", root, half)
	if err := os.Rename(half, disk); err != nil {
		t.Fatal(err)
	}
	return disk
}

// install puts into a directory what make install puts into a root, the configuration, and the test as a unit beside it.
func install(t *testing.T, root, config string) {
	t.Helper()
	cmd := exec.Command("make", "--no-print-directory", "-C", "../../..", "install", "DESTDIR="+root, "PREFIX=/usr")
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make install: %v\n%s", err, out)
	}
	link(t, harness.Binary(t, "edged/cmd/edged"), filepath.Join(root, "usr/bin"), "edged") // what make install found may be older
	write(t, filepath.Join(root, "etc/edged/edged.toml"), config)
	units := filepath.Join(root, "usr/lib/systemd/system")
	write(t, filepath.Join(units, "edged-test.service"), unit)
	wants := filepath.Join(root, "etc/systemd/system/multi-user.target.wants")
	if err := os.MkdirAll(wants, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"edged.service", "edged-test.service"} {
		if err := os.Symlink("/usr/lib/systemd/system/"+name, filepath.Join(wants, name)); err != nil {
			t.Fatal(err)
		}
	}
}
