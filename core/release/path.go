package release

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Path names a file or directory of a site, relative to the site's directory,
// with forward slashes, in a form that means the same and is safe on Linux,
// macOS and Windows. Only [ParsePath] makes one from foreign text, so a Path in
// hand needs no further check.
type Path string

// maxPath is the longest path accepted, in bytes; Linux's PATH_MAX is 4096
// including the terminating zero byte and the site's own directory.
const maxPath = 3072

// maxName is NAME_MAX of every file system that sites live on.
const maxName = 255

// ParsePath reads a path. A trailing slash is dropped. It refuses what is empty,
// absolute, has "." or ".." or empty parts, a backslash, a control character, a
// drive letter or stream (a colon), a name that Windows reserves, a name that ends
// in a blank or a dot, bytes that are not UTF-8, and Moult's own directory.
func ParsePath(s string) (Path, error) {
	p := strings.TrimSuffix(s, "/")
	if reason := pathFault(p); reason != nil {
		return "", fmt.Errorf("path %q: %w", s, reason)
	}
	return Path(p), nil
}

func pathFault(p string) error {
	switch {
	case p == "":
		return errors.New("is empty")
	case len(p) > maxPath:
		return fmt.Errorf("is longer than %d bytes", maxPath)
	case !utf8.ValidString(p):
		return errors.New("is not UTF-8")
	case p[0] == '/':
		return errors.New("is absolute")
	}
	for i, name := range strings.Split(p, "/") {
		if err := nameFault(name); err != nil {
			return err
		}
		if i == 0 && strings.EqualFold(name, ".moult") {
			return errors.New("belongs to Moult itself")
		}
	}
	return nil
}

func nameFault(name string) error {
	switch {
	case name == "":
		return errors.New("has an empty part")
	case name == "." || name == "..":
		return fmt.Errorf("has the part %q", name)
	case len(name) > maxName:
		return fmt.Errorf("has a name longer than %d bytes", maxName)
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
		return errors.New("has a name that ends in a dot or a blank, which Windows drops")
	}
	for _, r := range name {
		if r < 0x20 || r == 0x7f {
			return errors.New("has a control character")
		}
		// ':' is a drive letter or an alternate stream; the others can't be
		// in a Windows name: learn.microsoft.com/windows/win32/fileio/naming-a-file
		if strings.ContainsRune(`\:<>"|?*`, r) {
			return fmt.Errorf("has the character %q, which is not portable", r)
		}
	}
	stem, _, _ := strings.Cut(name, ".")
	if stem = strings.TrimRight(stem, " "); len(stem) <= maxReserved && reservedNames[strings.ToUpper(stem)] {
		return fmt.Errorf("has the name %q, which Windows reserves", name)
	}
	return nil
}

// reservedNames are device names that Windows reserves with any extension:
// learn.microsoft.com/windows/win32/fileio/naming-a-file
var reservedNames = map[string]bool{
	"CON": true, "PRN": true, "AUX": true, "NUL": true, "CONIN$": true, "CONOUT$": true,
	"COM1": true, "COM2": true, "COM3": true, "COM4": true, "COM5": true, "COM6": true, "COM7": true, "COM8": true, "COM9": true,
	"LPT1": true, "LPT2": true, "LPT3": true, "LPT4": true, "LPT5": true, "LPT6": true, "LPT7": true, "LPT8": true, "LPT9": true,
	"COM¹": true, "COM²": true, "COM³": true, "LPT¹": true, "LPT²": true, "LPT³": true,
}

// maxReserved is the longest of them, in bytes.
const maxReserved = len("CONOUT$")

// String returns the path as text.
func (p Path) String() string { return string(p) }

// Within reports whether p is dir or lies below it.
func (p Path) Within(dir Path) bool {
	return p == dir || strings.HasPrefix(string(p), string(dir)+"/")
}
