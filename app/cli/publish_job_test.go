package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheReleaseJobsOfTheDocumentsWork runs the commands of the workflows that the
// documents show, one after the other, for a second release. Only the way to the server
// is another: copies to a directory.
func TestTheReleaseJobsOfTheDocumentsWork(t *testing.T) {
	for _, name := range []string{"docs/publishers.md", "README.md"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			runs := regexp.MustCompile(`(?m)^ +- run: (.*)$`).FindAllStringSubmatch(string(text), -1)
			if len(runs) < 3 {
				t.Fatalf("%d commands in %s", len(runs), name)
			}
			dir := t.TempDir()
			server := filepath.Join(dir, "server")
			sh := func(script string, env ...string) {
				t.Helper()
				cmd := exec.Command("sh", "-euc", script)
				cmd.Dir = dir
				cmd.Env = append(append(os.Environ(), "SERVER="+server, "TAG=v1.1.0"), env...)
				cmd.Env = append(cmd.Env, "PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("$ %s\n%s%v", script, out, err)
				}
			}
			// An rsync that takes the last two arguments for directories.
			sh(`mkdir bin build; cat > bin/rsync <<'END'
#!/bin/sh
while [ $# -gt 2 ]; do shift; done
from=$(echo "$1" | sed 's/:.*//') to=$(echo "$2" | sed 's/:.*//')
mkdir -p "$to" && cp -R "$from/." "$to/"
END
chmod +x bin/rsync
echo one > build/index.php; echo '# News' > notes.md
echo 'CREATE TABLE t (id INT NOT NULL, PRIMARY KEY (id));' > schema.sql
moult publish init "$SERVER" --product Duckpond --keys safe
moult publish add "$SERVER" --version 1.0.0 --tree build --schema schema.sql --keys safe
cp -R "$SERVER" releases
echo two > build/index.php`)
			keys, err := filepath.Glob(filepath.Join(dir, "safe", "*.pem"))
			if err != nil {
				t.Fatal(err)
			}
			var all strings.Builder
			for _, k := range keys {
				b, err := os.ReadFile(k)
				if err != nil {
					t.Fatal(err)
				}
				all.Write(b)
			}
			for _, run := range runs {
				sh(run[1], "KEYS="+all.String())
			}
			sh(`test "$(moult publish verify "$SERVER" | grep -c "1.0.0 → 1.1.0")" = 2`)
		})
	}
}
