package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"moult/core/release"
	"moult/core/site"
)

// settle waits until everything that was written so far is on the disk, so that it is
// not in the way of what is measured next.
func settle(b *testing.B, dir string) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	if err := site.Barrier(root); err != nil {
		b.Fatal(err)
	}
}

// naive is what most updaters do: for each file, read it whole, write a backup, write
// the new one beside it and rename.
func (x *bench) naive(each bool) (t timings) {
	changed, share := x.changed, time.Duration(1)
	if each && len(changed) > 1000 {
		share = 10
		changed = changed[:len(changed)/int(share)]
	}
	backup := x.scratch("backup")
	defer os.RemoveAll(backup)
	settle(x.B, x.siteDir)
	start := time.Now()
	for _, f := range changed {
		p := string(f.Path)
		x.naiveReplace(filepath.Join(x.newDir, p), filepath.Join(x.siteDir, p), filepath.Join(backup, p), each)
	}
	t.window = time.Since(start) * share
	settle(x.B, x.siteDir)
	for _, f := range changed {
		if got, err := os.ReadFile(filepath.Join(x.siteDir, string(f.Path))); err != nil || release.DigestOf(got) != f.SHA256 {
			x.Fatalf("%s: %v", f.Path, err)
		}
	}
	t.total = time.Since(start) * share
	start = time.Now()
	for _, f := range changed {
		old, err := os.ReadFile(filepath.Join(backup, string(f.Path)))
		if err == nil {
			err = write(filepath.Join(x.siteDir, string(f.Path)), old, each)
		}
		x.must(err)
	}
	settle(x.B, x.siteDir)
	t.undo = time.Since(start) * share
	return t
}

func (x *bench) naiveReplace(from, to, backup string, each bool) {
	fresh, err := os.ReadFile(from)
	x.must(err)
	old, err := os.ReadFile(to)
	x.must(err)
	x.must(os.MkdirAll(filepath.Dir(backup), 0o755))
	x.must(write(backup, old, each))
	x.must(write(to+".tmp", fresh, each))
	x.must(os.Rename(to+".tmp", to))
}

// write writes a file, and waits for the disk if asked to.
func write(name string, data []byte, wait bool) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && wait {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (x *bench) must(err error) {
	if err != nil {
		x.Helper()
		x.Fatal(err)
	}
}

// scratch makes an empty directory.
func (x *bench) scratch(name string) string {
	dir, err := os.MkdirTemp(x.base, name+"-")
	x.must(err)
	return dir
}

func (x *bench) rsync() (t timings) {
	run := func(arg ...string) {
		if out, err := exec.Command("rsync", arg...).CombinedOutput(); err != nil {
			x.Fatalf("%v: %s", err, out)
		}
	}
	backup := x.scratch("backup")
	defer os.RemoveAll(backup)
	settle(x.B, x.siteDir)
	start := time.Now()
	run("-a", "--checksum", "--backup", "--backup-dir="+backup, x.newDir+"/", x.siteDir+"/")
	t.window = time.Since(start)
	settle(x.B, x.siteDir)
	run("-a", "--checksum", x.newDir+"/", x.siteDir+"/") // reads everything back
	t.total = time.Since(start)
	start = time.Now()
	run("-a", "--checksum", backup+"/", x.siteDir+"/")
	settle(x.B, x.siteDir)
	t.undo = time.Since(start)
	return t
}

// moult is what this package does.
func (x *bench) moult(way string) (t timings) {
	ctx := context.Background()
	s, err := site.Init(x.siteDir, site.Config{Files: site.Files{Switch: way}}, site.State{})
	x.must(err)
	defer os.RemoveAll(filepath.Join(x.siteDir, site.Home))
	defer s.Close()
	in := PlanInput{Site: s, Inventory: &site.Inventory{BaseKnown: true, Files: x.shipped}, New: x.changed}
	for _, f := range x.changed {
		in.Operations.ReplaceFiles = append(in.Operations.ReplaceFiles, f.Path)
	}
	u, err := s.NewUpdate("u")
	x.must(err)
	defer u.Close()
	copyTree(x.B, x.newDir, filepath.Join(u.Root.Name(), "contents"))
	settle(x.B, x.siteDir)
	time.Sleep(settling) // a site is not changed in the moment before its update
	in.Contents, err = u.Root.OpenRoot("contents")
	x.must(err)
	defer in.Contents.Close()

	start := time.Now()
	lap := start
	since := func() (d time.Duration) {
		d, lap = time.Since(lap), time.Now()
		return d
	}
	p, err := MakePlan(ctx, in)
	x.must(err)
	t.plan = since()
	x.must(Stage(ctx, s, u, p, in.Contents, nil))
	t.stage = since()
	j, _, err := u.Journal()
	x.must(err)
	defer j.Close()
	t.window, err = Switch(ctx, s, u, p, j, nil)
	x.must(err)
	t.swap = since()
	x.must(Verify(ctx, s, p))
	t.verify = since()
	t.total = time.Since(start)
	since()
	var first, last time.Time // of the steps back
	_, err = Undo(ctx, s, u, p, j, func(int, int) {
		if last = time.Now(); first.IsZero() {
			first = last
		}
	})
	x.must(err)
	t.undo, t.back = since(), last.Sub(first)
	return t
}

func copyTree(b *testing.B, from, to string) {
	err := filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		src, err := os.Open(name)
		if err != nil {
			return err
		}
		defer src.Close()
		dst, err := os.Create(filepath.Join(to, rel))
		if err != nil {
			return err
		}
		if _, err := io.Copy(dst, src); err != nil {
			return err
		}
		return dst.Close()
	})
	if err != nil {
		b.Fatal(err)
	}
}
