package site

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// tempMark is in the name of every file that is being written. What carries it
// after a crash is swept when the lock is next taken.
const tempMark = ".tmp-"

// writeFile replaces name below root by data: written beside it, made durable,
// renamed, and the directory made durable too, so that after a power cut the
// file is wholly its old or wholly its new self.
func writeFile(root *os.Root, name string, data []byte, perm os.FileMode) error {
	return writeFrom(root, name, perm, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteFile replaces a file below a directory of .moult so that a crash leaves
// its old or its new contents, and makes it durable. It is readable by its owner only.
func WriteFile(dir *os.Root, name string, data []byte) error {
	return writeFile(dir, name, data, 0o600)
}

func writeFrom(root *os.Root, name string, perm os.FileMode, fill func(io.Writer) error) (err error) {
	temp := name + tempMark + rand.Text()[:8]
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			root.Remove(temp)
			err = fmt.Errorf("write %s: %w", name, err)
		}
	}()
	if err := fill(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := root.Rename(temp, name); err != nil {
		return err
	}
	return syncDir(root, path.Dir(name))
}

// sweep removes what writers that died left behind in one directory. It is
// called by the holder of the lock only.
func sweep(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		if strings.Contains(name, tempMark) {
			errs = append(errs, root.Remove(name))
		}
	}
	return errors.Join(errs...)
}

// readFile reads name below root, up to max bytes. Longer is an error: every
// file here has a size that it can't sensibly pass.
func readFile(root *os.Root, name string, max int64) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > max {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, max)
	}
	return b, nil
}

// maxJSON is the longest JSON file read. A plan with 200 000 files takes some 80 MB.
const maxJSON = 512 << 20

func writeJSON(root *os.Root, name string, v any) error {
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return writeFile(root, name, append(b, '\n'), 0o600)
}

// readJSON reads name into v. Keys that v does not have are an error: they come
// from a newer Moult, and to ignore what it meant would be to guess.
func readJSON(root *os.Root, name string, v any) error {
	b, err := readFile(root, name, maxJSON)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%s: something follows the value", name)
	}
	return nil
}
