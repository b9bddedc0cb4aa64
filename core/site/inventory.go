package site

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

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

	part bool // of what [Site.InventoryOf] reads: it can't be written back
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
	return openInventory(s.state, (*inventoryReader).all)
}

// InventoryOf reads the part of the inventory that tells of the paths which operations
// name, and of those below the directories that they name, in a time that does not
// grow with the number of other files. Of these it has some or none.
func (s *Site) InventoryOf(ops release.Operations) (*Inventory, error) {
	return openInventory(s.state, func(ir *inventoryReader) (*Inventory, error) {
		inv, err := ir.read(ir.find(ops))
		if err == nil {
			inv.part = true
		}
		return inv, err
	})
}

func openInventory(dir *os.Root, read func(*inventoryReader) (*Inventory, error)) (*Inventory, error) {
	f, err := dir.Open(inventoryFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	inv, err := readInventory(f, info.Size(), read)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", inventoryFile, err)
	}
	return inv, nil
}

// SetInventory replaces the inventory. It sorts inv.Files, and refuses a path
// that is there twice.
func (s *Site) SetInventory(inv *Inventory) error {
	if inv.part {
		return errors.New("write " + inventoryFile + ": only a part of it was read")
	}
	slices.SortFunc(inv.Files, func(a, b release.File) int { return cmp.Compare(a.Path, b.Path) })
	for i := 1; i < len(inv.Files); i++ {
		if inv.Files[i].Path == inv.Files[i-1].Path {
			return fmt.Errorf("write %s: %s is there twice", inventoryFile, inv.Files[i].Path)
		}
	}
	return writeFrom(s.state, inventoryFile, 0o600, inv.write)
}

// KeepInventory copies the inventory into the directory of an update.
func (s *Site) KeepInventory(u *Update) error { return copyInventory(u.Root, s.state) }

// RestoreInventory replaces the inventory by the one that [Site.KeepInventory] put into
// the directory of an update.
func (s *Site) RestoreInventory(u *Update) error { return copyInventory(s.state, u.Root) }

// Inventory reads what [Site.KeepInventory] kept. Where nothing was kept the error is
// [fs.ErrNotExist].
func (u *Update) Inventory() (*Inventory, error) {
	return openInventory(u.Root, (*inventoryReader).all)
}

func copyInventory(to, from *os.Root) error {
	f, err := from.Open(inventoryFile)
	if err != nil {
		return err
	}
	defer f.Close()
	return writeFrom(to, inventoryFile, 0o600, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}
