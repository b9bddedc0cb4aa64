package app

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestARealWindowByTheKeyboardAlone builds the program, opens its window on the
// demo under a display of its own, and does a whole update and its roll back with
// nothing but keys. What has happened is read from the site's own files.
func TestARealWindowByTheKeyboardAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program and starts a server and a display: not in -short")
	}
	for _, tool := range []string{"Xvfb", "xdotool", "mariadbd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "moult")
	if out, err := exec.Command("go", "build", "-o", program, "..").CombinedOutput(); err != nil {
		t.Skipf("the window can't be built here: %v\n%s", err, out)
	}
	k := startKeyboard(t, dir, program)

	k.press("ctrl+r")
	k.wait("the check", func() bool { return strings.Contains(k.read("state.json"), `"last_check"`) })
	k.press("ctrl+Return")
	k.wait("the plan", func() bool { return k.undecided() > 0 })
	for open := k.undecided(); open > 0; open = k.undecided() {
		k.press("ctrl+d")
		k.press("space")
		k.wait("a decision", func() bool { return k.undecided() < open })
	}
	k.press("ctrl+Return")
	k.wait("the update", func() bool { return k.version() == "1.5.0" && k.ended() == 1 })
	k.press("ctrl+b")
	k.press("Tab")
	k.press("space")
	k.wait("the roll back", func() bool { return k.version() == "1.4.2" })
	k.press("ctrl+q")
	k.wait("the window to close", func() bool { return k.closed() })
}

// keyboard presses keys in a window and reads what becomes of the site.
type keyboard struct {
	t       *testing.T
	display string
	site    string
	exited  chan error
}

func startKeyboard(t *testing.T, dir, program string) *keyboard {
	t.Helper()
	k := &keyboard{t: t, site: filepath.Join(dir, "demo", "sites", "wiki", ".moult"), exited: make(chan error, 1)}
	numbers, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	screen := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp")
	screen.ExtraFiles = []*os.File{write}
	if err := screen.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		screen.Process.Kill()
		screen.Wait()
	})
	write.Close()
	var number int
	if _, err := fmt.Fscan(numbers, &number); err != nil {
		t.Fatal(err)
	}
	k.display = fmt.Sprintf("DISPLAY=:%d", number)

	demo := exec.Command(program, "demo", filepath.Join(dir, "demo"))
	demo.Env = append(os.Environ(), k.display, "HOME="+dir, "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "LANG=en_US.UTF-8")
	log := &strings.Builder{}
	demo.Stdout, demo.Stderr = log, log
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { k.exited <- demo.Wait() }()
	t.Cleanup(func() {
		demo.Process.Signal(os.Interrupt)
		if t.Failed() {
			t.Logf("the program said:\n%s", log)
		}
	})
	k.wait("the window", func() bool {
		return k.xdotool("search", "--onlyvisible", "--name", "Duckpond") == nil
	})
	return k
}

func (k *keyboard) xdotool(args ...string) error {
	c := exec.Command("xdotool", args...)
	c.Env = append(os.Environ(), k.display)
	return c.Run()
}

// press presses a key and gives the window a moment to take it.
func (k *keyboard) press(key string) {
	k.t.Helper()
	time.Sleep(700 * time.Millisecond)
	if err := k.xdotool("key", key); err != nil {
		k.t.Fatalf("press %s: %v", key, err)
	}
}

func (k *keyboard) wait(what string, is func() bool) {
	k.t.Helper()
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if is() {
			return
		}
	}
	k.t.Fatalf("waited for %s in vain", what)
}

func (k *keyboard) read(name string) string {
	b, err := os.ReadFile(filepath.Join(k.site, name))
	if err != nil {
		return ""
	}
	return string(b)
}

func (k *keyboard) version() string {
	var state struct{ Version string }
	if json.Unmarshal([]byte(k.read("state.json")), &state) != nil {
		return ""
	}
	return state.Version
}

// undecided counts the edited files of the newest plan without an answer.
func (k *keyboard) undecided() int {
	plans, _ := filepath.Glob(filepath.Join(k.site, "updates", "*", "plan.json"))
	open := 0
	for _, name := range plans {
		b, err := os.ReadFile(name)
		var plan struct {
			Files struct {
				Entries []struct {
					Change, Choice string
					Edited         bool
				}
			}
		}
		if err != nil || json.Unmarshal(b, &plan) != nil {
			return 0
		}
		for _, e := range plan.Files.Entries {
			if e.Edited && e.Choice == "" && e.Change == "replace" {
				open++
			}
		}
	}
	return open
}

// ended counts the updates that have a result.
func (k *keyboard) ended() int {
	results, _ := filepath.Glob(filepath.Join(k.site, "updates", "*", "result.json"))
	return len(results)
}

func (k *keyboard) closed() bool {
	select {
	case err := <-k.exited:
		if err != nil {
			k.t.Errorf("the program ended with %v", err)
		}
		return true
	default:
		return false
	}
}
