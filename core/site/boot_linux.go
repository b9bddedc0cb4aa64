package site

import (
	"os"
	"strings"
)

// bootID identifies this run of the machine; "" when the system doesn't tell.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
