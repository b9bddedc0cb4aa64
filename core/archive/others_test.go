package archive

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestArchivesOfCommandsAreRead extracts what the usual commands write.
func TestArchivesOfCommandsAreRead(t *testing.T) {
	const sh = `cd "$1" && ` // the tree; $2 is the archive
	for name, c := range map[string]struct{ tools, script string }{
		"tar and gzip":                 {"tar gzip", `tar -c . | gzip >"$2"`},
		"tar and pigz-like members":    {"tar gzip", `tar -cf "$2.tar" . && { head -c 1000 "$2.tar" | gzip; tail -c +1001 "$2.tar" | gzip; } >"$2"`},
		"tar with pax headers":         {"tar gzip", `tar --format=pax -c . | gzip >"$2"`},
		"tar with large records":       {"tar gzip", `tar -b 200 -c * .htaccess | gzip >"$2"`},
		"tar and xz":                   {"tar xz", `tar -c . | xz -9 >"$2"`},
		"tar and xz of many blocks":    {"tar xz", `tar -c . | xz --block-size=64KiB --check=sha256 >"$2"`},
		"tar and xz of two streams":    {"tar xz", `tar -cf "$2.tar" . && { head -c 1000 "$2.tar" | xz; tail -c +1001 "$2.tar" | xz -C none; } >"$2"`},
		"tar and zstd":                 {"tar zstd", `tar -c . | zstd -q -19 >"$2"`},
		"tar and zstd with long range": {"tar zstd", `tar -c . | zstd -q --long=27 >"$2"`},
		"zip":                          {"zip", `zip -q -r "$2.zip" . && mv "$2.zip" "$2"`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, tool := range strings.Fields(c.tools) {
				if _, err := exec.LookPath(tool); err != nil {
					t.Skipf("the command %s is not installed", tool)
				}
			}
			tree, out := t.TempDir(), filepath.Join(t.TempDir(), "archive")
			want, contents := sampleTree()
			for p, b := range contents {
				file := filepath.Join(tree, string(p))
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, b, 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			for i, f := range want.Files {
				want.Files[i].Mode = 0o644
				if f.Mode == 0o755 {
					want.Files[i].Mode = 0o755
					if err := os.Chmod(filepath.Join(tree, string(f.Path)), 0o755); err != nil {
						t.Fatal(err)
					}
				}
			}
			if said, err := exec.Command("sh", "-c", sh+c.script, "sh", tree, out).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			f, err := os.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			got, err := Extract(context.Background(), f, info.Size(), openRoot(t, t.TempDir()), Limits{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			files, _, err := Scan(context.Background(), openRoot(t, tree))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(files, got.Files); diff != "" {
				t.Errorf("files differ (-in the tree +extracted):\n%s", diff)
			}
		})
	}
}

// TestArchivesOfGoEscapeNowhere extracts the archives with which Go tests its own
// packages. Most are at fault in some way; none may reach outside.
func TestArchivesOfGoEscapeNowhere(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("the go command is not installed")
	}
	read, refused := 0, 0
	for _, pattern := range []string{"tar/testdata/*.tar", "zip/testdata/*.zip"} {
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(goroot)), "src", "archive", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Ext(name) == ".tar" {
				b = gz(b)
			}
			top := t.TempDir()
			inside := filepath.Join(top, "inside")
			if err := os.Mkdir(inside, 0o755); err != nil {
				t.Fatal(err)
			}
			before := outside(t, top, inside)
			_, err = Extract(context.Background(), bytes.NewReader(b), int64(len(b)), openRoot(t, inside), Limits{TotalBytes: 16 << 20}, nil)
			if diff := cmp.Diff(before, outside(t, top, inside)); diff != "" {
				t.Errorf("%s: the tree outside changed:\n%s", name, diff)
			}
			if err := noLinks(inside); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			switch {
			case err == nil:
				read++
			case errors.Is(err, ErrRefused):
				refused++
			default:
				t.Errorf("%s: %v is no refusal", name, err)
			}
		}
	}
	if read+refused == 0 {
		t.Skip("Go's own archives are not installed")
	}
	t.Logf("%d read, %d refused", read, refused)
}
