package chardev

import (
	"fmt"
	"path/filepath"
	"slices"

	"edged"

	"golang.org/x/sys/unix"
)

// devices is where the driver looks.
const devices = "/dev/gpiochip*"

// readableChips lists the chips that this process may open, each once, however many names lead to it. A chip is known by
// path and inode: one that was unplugged and came back has another inode. The error says why there is none.
//
// It is asked before the driver because the driver reports to the standard logger, at every attempt, and because on a
// kernel without the second version of the interface (before 5.10) it leaves descriptors that are closed twice.
func readableChips(pattern string) ([]string, error) {
	if err := checkKernel(); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var chips []string
	var denied error
	for _, path := range paths {
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			continue // leads nowhere: the chip has just gone
		}
		var st unix.Stat_t
		if err := unix.Stat(target, &st); err != nil {
			continue
		}
		if err := unix.Access(target, unix.R_OK); err != nil {
			denied = fmt.Errorf("GPIO chip %s cannot be opened (%w): no pin can be read; let the user of edged into the device's group (usermod -aG gpio edged) and restart edged", target, err)
			continue
		}
		chips = append(chips, fmt.Sprintf("%s %d", target, st.Ino))
	}
	switch {
	case len(chips) == 0 && denied != nil:
		return nil, denied
	case len(chips) == 0:
		return nil, fmt.Errorf("this computer has no GPIO chip (%s): no pin can be read; a container or a virtual machine has to be given the device", pattern)
	}
	slices.Sort(chips)
	return slices.Compact(chips), nil
}

func checkKernel() error {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return fmt.Errorf("asking for the kernel's version: %w", err)
	}
	if release := unix.ByteSliceToString(u.Release[:]); tooOld(release) {
		return edged.WithClass(fmt.Errorf("pins cannot be read: this is Linux %s, and 5.10 is needed", release), edged.Permanent)
	}
	return nil
}

// tooOld judges a release like "6.12.25+rpt-rpi-v8". What it cannot read is taken as new.
func tooOld(release string) bool {
	var major, minor int
	_, err := fmt.Sscanf(release, "%d.%d", &major, &minor)
	return err == nil && (major < 5 || major == 5 && minor < 10)
}
