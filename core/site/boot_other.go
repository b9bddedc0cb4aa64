//go:build !linux && !darwin

package site

// bootID identifies this run of the machine. Here the system doesn't tell; the
// kernel's lock alone says whether an owner lives.
func bootID() string { return "" }
