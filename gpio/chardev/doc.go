// Package chardev reads lines of the kernel's GPIO character devices (/dev/gpiochip*) through periph's driver gpioioctl.
// It needs Linux 5.10 or later, and is the same on every board.
//
// It uses the driver's line sets, of one line each, and not its pins: a pin swallows every error (its Read answers "low"
// for a line that is gone) and does not say which edge it saw.
//
// What the driver does not give: the kernel's own time and number of an edge, the kernel's debounce, and a way to switch
// a pull resistor off. The kernel keeps the last 16 events of a line; if more come before they are read, the oldest are lost.
package chardev
