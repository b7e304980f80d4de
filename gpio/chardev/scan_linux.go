package chardev

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/driver"
	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/host/v3/gpioioctl"
)

// scan makes gpioioctl.Chips true again if the chips of this computer have changed since the last scan.
//
// driverreg.Init scans once in the life of a process, whatever it found. A chip that comes later (a USB expander, a module
// loaded after edged) is found by running the driver's own Init again, after the names of the last scan were taken out of
// the registry: they would count as duplicates.
//
// The old chips are neither closed nor left to the garbage collector: each has two os.Files on one descriptor, so both
// would close that number twice, the second time perhaps a file of someone else; closing also closes descriptor 0. They
// cost a descriptor for each chip and change. Lines that are open have descriptors of their own, and stay.
func (d *Driver) scan() error {
	chips, err := readableChips(devices)
	if err != nil {
		return err
	}
	if slices.Equal(chips, d.scanned) {
		return anyChip()
	}
	before := len(gpioioctl.Chips)
	state, err := driverreg.Init()
	if err != nil {
		return fmt.Errorf("periph cannot be started: %w", err)
	}
	if before > 0 || len(gpioioctl.Chips) == 0 { // it did not scan now
		impl := ioctlDriver(state)
		if impl == nil {
			return errors.New("periph's driver ioctl-gpio is not in this program")
		}
		d.retire()
		if _, err := impl.Init(); err != nil {
			return fmt.Errorf("looking for GPIO chips: %w", err)
		}
	}
	keepStdin()
	d.scanned = chips
	return anyChip()
}

func anyChip() error {
	if len(gpioioctl.Chips) == 0 {
		return errors.New("no GPIO chip could be opened, though there are devices " + devices)
	}
	return nil
}

func (d *Driver) retire() {
	d.retired = append(d.retired, gpioioctl.Chips...)
	gpioioctl.Chips = nil
	for _, pin := range gpioreg.All() {
		_ = gpioreg.Unregister(pin.Name()) // fails only for a name that is not there
	}
}

// ioctlDriver finds the driver, loaded or not: what was skipped for want of a chip can be run again.
func ioctlDriver(state *driverreg.State) driver.Impl {
	all := append([]driver.Impl(nil), state.Loaded...)
	for _, f := range append(append([]driverreg.DriverFailure(nil), state.Skipped...), state.Failed...) {
		all = append(all, f.D)
	}
	for _, d := range all {
		if d.String() == "ioctl-gpio" {
			return d
		}
	}
	return nil
}

// keepStdin makes sure that descriptor 0 is taken. The library closes it when it closes a chip, and means "not open" when
// a line's descriptor is 0, so no line may get that number.
func keepStdin() {
	if _, err := unix.FcntlInt(0, unix.F_GETFD, 0); err != unix.EBADF {
		return
	}
	if fd, err := unix.Open("/dev/null", unix.O_RDONLY, 0); err == nil && fd != 0 {
		_ = unix.Close(fd) // someone else took 0 in the meantime
	}
}
