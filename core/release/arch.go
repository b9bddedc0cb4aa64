package release

import (
	"fmt"
	"runtime"
)

// Arch is a processor architecture as manifests name it.
type Arch string

// The architectures that a manifest can name.
const (
	//lint:ignore ST1003 this is how the architecture is spelled everywhere
	X86_64  Arch = "x86_64"
	AArch64 Arch = "aarch64"
)

// ParseArch reads an architecture. "", "auto" mean this machine's; the Go names
// amd64 and arm64 are accepted too. Any other is an error that names it.
func ParseArch(s string) (Arch, error) {
	if s == "" || s == "auto" {
		s = runtime.GOARCH
	}
	switch s {
	case "x86_64", "amd64":
		return X86_64, nil
	case "aarch64", "arm64":
		return AArch64, nil
	}
	return "", fmt.Errorf("architecture %q is not supported: packages exist for x86_64 and aarch64", s)
}
