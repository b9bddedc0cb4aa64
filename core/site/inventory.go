package site

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"moult/core/release"
)

const inventoryFile = "inventory.zst"

// Inventory is every file that the installed release shipped, as it was shipped.
type Inventory struct {
	Version release.Version
	// BaseKnown is false when the publisher no longer had the installed release,
	// so that the inventory is of what was found on disk: edits made before
	// that can't be told from what was shipped.
	BaseKnown bool
	Files     []release.File // sorted by path, each path once
}

// Get returns the file that was shipped at a path.
func (inv *Inventory) Get(p release.Path) (release.File, bool) {
	i, found := slices.BinarySearchFunc(inv.Files, p, func(f release.File, p release.Path) int { return cmp.Compare(f.Path, p) })
	if !found {
		return release.File{}, false
	}
	return inv.Files[i], true
}

// Inventory reads the inventory. A site without one gives an error that is
// [fs.ErrNotExist].
func (s *Site) Inventory() (*Inventory, error) {
	f, err := s.state.Open(inventoryFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	inv, err := readInventory(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", inventoryFile, err)
	}
	return inv, nil
}

// SetInventory replaces the inventory. It sorts inv.Files, and refuses a path
// that is there twice.
func (s *Site) SetInventory(inv *Inventory) error {
	slices.SortFunc(inv.Files, func(a, b release.File) int { return cmp.Compare(a.Path, b.Path) })
	for i := 1; i < len(inv.Files); i++ {
		if inv.Files[i].Path == inv.Files[i-1].Path {
			return fmt.Errorf("write %s: %s is there twice", inventoryFile, inv.Files[i].Path)
		}
	}
	return writeFrom(s.state, inventoryFile, 0o600, inv.write)
}

// The inventory is text, so that zstdcat shows it: a line of heading, then for
// each file its mode in octal, size, hash and path, sorted by path. zstd's own
// checksum tells damage.
const inventoryHeading = "moult inventory 1"

func (inv *Inventory) write(w io.Writer) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderCRC(true))
	if err != nil {
		return err
	}
	base := "known"
	if !inv.BaseKnown {
		base = "unknown"
	}
	b := fmt.Appendf(nil, "%s version=%s base=%s\n", inventoryHeading, inv.Version, base)
	for _, f := range inv.Files {
		b = strconv.AppendUint(b, uint64(f.Mode), 8)
		b = append(b, ' ')
		b = strconv.AppendInt(b, f.Size, 10)
		b = append(b, ' ')
		b = hex.AppendEncode(b, f.SHA256[:])
		b = append(b, ' ')
		b = append(b, f.Path...)
		b = append(b, '\n')
		if len(b) > 1<<16 {
			if _, err := z.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	if _, err := z.Write(b); err != nil {
		return err
	}
	return z.Close()
}

// maxInventory is the most files that an inventory may list.
const maxInventory = 10_000_000

func readInventory(r io.Reader) (*Inventory, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(1<<30))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	lines := bufio.NewReaderSize(z, 1<<16)
	head, err := lines.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("heading: %w", noEOF(err))
	}
	inv := &Inventory{}
	if err := inv.parseHeading(strings.TrimSuffix(head, "\n")); err != nil {
		return nil, err
	}
	dir := ""
	for {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			return inv, nil
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(inv.Files)+2, noEOF(err))
		}
		f, err := parseInventoryLine(line[:len(line)-1], dir)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(inv.Files)+2, err)
		}
		dir = string(f.Path[:max(strings.LastIndexByte(string(f.Path), '/'), 0)])
		if n := len(inv.Files); n > 0 && inv.Files[n-1].Path >= f.Path {
			return nil, fmt.Errorf("line %d: %s does not sort after the line before", n+2, f.Path)
		}
		if len(inv.Files) == maxInventory {
			return nil, fmt.Errorf("has more than %d lines", maxInventory)
		}
		inv.Files = append(inv.Files, f)
	}
}

func (inv *Inventory) parseHeading(head string) error {
	rest, ok := strings.CutPrefix(head, inventoryHeading+" version=")
	version, base, ok2 := strings.Cut(rest, " base=")
	if !ok || !ok2 || base != "known" && base != "unknown" {
		return fmt.Errorf("heading %q is not one of %q", head, inventoryHeading)
	}
	inv.BaseKnown = base == "known"
	return inv.Version.UnmarshalText([]byte(version))
}

// parseInventoryLine reads a line. dir is the directory of the line before: of a
// path in the same one only the name is new and must be checked.
func parseInventoryLine(line []byte, dir string) (release.File, error) {
	mode, rest, _ := bytes.Cut(line, []byte{' '})
	size, rest, _ := bytes.Cut(rest, []byte{' '})
	digits, path, ok := bytes.Cut(rest, []byte{' '})
	if !ok {
		return release.File{}, errors.New("has fewer than four parts")
	}
	var f release.File
	m, err := strconv.ParseUint(string(mode), 8, 32)
	if err != nil || m > uint64(fs.ModePerm) {
		return f, fmt.Errorf("mode %q is not one", mode)
	}
	f.Mode = uint32(m)
	if f.Size, err = strconv.ParseInt(string(size), 10, 64); err != nil || f.Size < 0 {
		return f, fmt.Errorf("size %q is not one", size)
	}
	if len(digits) != hex.EncodedLen(len(f.SHA256)) {
		return f, fmt.Errorf("hash %q is not one", digits)
	}
	if _, err := hex.Decode(f.SHA256[:], digits); err != nil {
		return f, fmt.Errorf("hash %q: %w", digits, err)
	}
	text := string(path)
	name, same := strings.CutPrefix(text, dir+"/")
	if dir == "" || !same || name == "" || strings.Contains(name, "/") || strings.EqualFold(name, Home) || len(text) > longPath {
		f.Path, err = release.ParsePath(text)
		return f, err
	}
	if _, err := release.ParsePath(name); err != nil {
		return f, fmt.Errorf("%s: %w", text, err)
	}
	f.Path = release.Path(text)
	return f, nil
}

// longPath is a length in bytes from which a path is checked whole.
const longPath = 1024

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
