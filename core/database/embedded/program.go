package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is a server that can be started.
type program struct {
	path  string // of mariadbd
	share string // of its messages and system tables
	// system is the prefix of the files in share that define the system
	// tables: "mariadb" since 11.0 and in Debian's 10.11, "mysql" before.
	system string
}

// programs are the places of mariadbd, after those of PATH: an ordinary user's
// PATH has no sbin.
var programs = []string{"mariadbd", "/usr/sbin/mariadbd", "/usr/libexec/mariadbd", "/usr/local/sbin/mariadbd"}

// shares are the directories of the share files in the order of trial.
var shares = []string{"/usr/share/mariadb", "/usr/share/mysql", "/usr/local/share/mariadb"}

// systems are the prefixes of the files that define the system tables.
var systems = []string{"mariadb", "mysql"}

// findProgram looks for a server on this machine.
func findProgram() (*program, error) {
	if !supported {
		return nil, fmt.Errorf("a private database server runs on Linux only; give the DSN of a running server instead: %w", ErrAbsent)
	}
	for _, name := range programs {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		for _, share := range shares {
			for _, system := range systems {
				if exists(filepath.Join(share, system+"_system_tables.sql")) {
					return &program{path, share, system}, nil
				}
			}
		}
		return nil, fmt.Errorf("%s is there, but not its system tables in %s: %w", path, strings.Join(shares, " or "), ErrAbsent)
	}
	return nil, ErrAbsent
}

// arguments of every start, bootstrap included.
func (p *program) common(data string) []string {
	args := []string{
		"--no-defaults",
		"--datadir=" + data,
		// A server that starts removes temporary tables from its tmpdir, those
		// of other servers included, so that it can't be the system's.
		"--tmpdir=" + filepath.Dir(data),
		"--lc-messages-dir=" + p.share,
		"--character-set-server=utf8mb4",
		"--collation-server=utf8mb4_general_ci",
		"--innodb-log-file-size=16M",
		"--innodb-undo-tablespaces=0",
	}
	if os.Getuid() == 0 {
		args = append(args, "--user=root") // the server refuses root unless told
	}
	return args
}

// arguments returns what a server is started with.
func (p *program) arguments(data, socket string, fast bool) []string {
	args := append(p.common(data),
		"--socket="+socket,
		"--pid-file="+filepath.Join(filepath.Dir(data), "pid"),
		"--skip-networking",
		"--skip-name-resolve",
		"--innodb-buffer-pool-size=64M",
		"--innodb-buffer-pool-load-at-startup=OFF",
		"--innodb-buffer-pool-dump-at-shutdown=OFF",
	)
	if fast {
		args = append(args, "--debug-no-sync", "--innodb-doublewrite=OFF", "--innodb-flush-log-at-trx-commit=2")
	}
	return args
}

// provideData fills data with an empty data directory, unless there is one.
func (p *program) provideData(ctx context.Context, data string) error {
	if exists(filepath.Join(data, "mysql")) {
		return nil
	}
	template, err := p.template(ctx)
	if err != nil {
		return err
	}
	// A copy that was cut short must not look like a data directory.
	half := data + ".new"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	if err := os.CopyFS(half, os.DirFS(template)); err != nil {
		return err
	}
	if err := os.Chmod(half, 0o700); err != nil {
		return err
	}
	return os.Rename(half, data)
}

// template returns an empty data directory of this server's version, made on
// its first use and kept in the user's cache.
func (p *program) template(ctx context.Context) (string, error) {
	version, err := exec.CommandContext(ctx, p.path, "--no-defaults", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", p.path, err)
	}
	script, err := p.bootstrapScript()
	if err != nil {
		return "", err
	}
	key := sha256.New()
	fmt.Fprintf(key, "%s\n%q\n", version, p.common(""))
	key.Write(script)
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "moult", fmt.Sprintf("mariadb-%x", key.Sum(nil)[:8]))
	if exists(filepath.Join(dir, "mysql")) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return "", err
	}
	half, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(half)
	if err := p.bootstrap(ctx, half, script); err != nil {
		return "", err
	}
	if err := os.Rename(half, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return dir, nil
}

// bootstrapScript returns the SQL that makes the system tables and our account.
// The server's bootstrap mode wants each statement to begin on a line of its own.
func (p *program) bootstrapScript() ([]byte, error) {
	var script bytes.Buffer
	// The variable keeps root@localhost usable without the unix_socket plugin.
	script.WriteString("create database mysql;\nuse mysql;\nset @auth_root_socket=NULL;\n")
	for _, part := range []string{"system_tables", "performance_tables", "system_tables_data"} {
		b, err := os.ReadFile(filepath.Join(p.share, p.system+"_"+part+".sql"))
		if err != nil {
			return nil, fmt.Errorf("read the definition of the system tables: %w", err)
		}
		script.Write(b)
	}
	fmt.Fprintf(&script, "\nflush privileges;\ndelete from global_priv where user='';\n"+
		"create user %[1]s@localhost;\ngrant all on *.* to %[1]s@localhost with grant option;\n", Account)
	return script.Bytes(), nil
}

// bootstrap runs the script in an empty data directory, with every fsync: the
// template outlives this process by years.
func (p *program) bootstrap(ctx context.Context, data string, script []byte) error {
	args := append(p.common(data), "--bootstrap", "--log-warnings=0", "--enforce-storage-engine=", "--max-allowed-packet=8M")
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Stdin = bytes.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the system tables: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
