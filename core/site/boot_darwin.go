package site

import "golang.org/x/sys/unix"

// bootID identifies this run of the machine; "" when the system doesn't tell.
func bootID() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}
