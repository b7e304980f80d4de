// Package fault injects faults into the real program and its surroundings, one file a fault, and judges each time what became of
// what was acknowledged. docs/reliability.md lists them. Each has a control, which shows that it can fail.
package fault
