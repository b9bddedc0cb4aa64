package cli_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"moult/app/cli"
	"moult/core/release"
	"moult/core/site"
)

// terminal is a pseudo terminal and somebody who sits at it.
type terminal struct {
	t          *testing.T
	keys, line *os.File // the person's side and the program's
	screen     chan []byte
	seen       bytes.Buffer // what the screen showed so far
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("this system has no pseudo terminals: %v", err)
	}
	n, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(line.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 60}); err != nil {
		t.Fatal(err)
	}
	s := &terminal{t: t, keys: keys, line: line, screen: make(chan []byte, 1000)}
	go func() {
		defer close(s.screen)
		for {
			b := make([]byte, 4096)
			n, err := keys.Read(b)
			if err != nil {
				return
			}
			s.screen <- b[:n]
		}
	}()
	t.Cleanup(func() {
		line.Close()
		keys.Close()
	})
	return s
}

// run starts moult at the terminal, its results elsewhere.
func (s *terminal) run(args ...string) (wait func() (code int, out string)) {
	var out bytes.Buffer
	p := &cli.Program{Stdin: s.line, Stdout: &out, Stderr: s.line, Version: "1.0.0"}
	ended := make(chan int, 1)
	go func() { ended <- p.Run(args) }()
	return func() (int, string) {
		select {
		case code := <-ended:
			return code, out.String()
		case <-time.After(time.Minute):
			s.t.Fatalf("moult %s does not end; the screen shows\n%s", args, s.seen.String())
			return 0, ""
		}
	}
}

// answer waits for a question and types the answer.
func (s *terminal) answer(question, text string) {
	s.t.Helper()
	s.shows(question)
	s.seen.Reset()
	if _, err := s.keys.WriteString(text + "\n"); err != nil {
		s.t.Fatal(err)
	}
}

// whisper is answer once the terminal does not show what is typed.
func (s *terminal) whisper(question, text string) {
	s.t.Helper()
	s.shows(question)
	for patience := time.After(time.Minute); ; {
		mode, err := unix.IoctlGetTermios(int(s.line.Fd()), unix.TCGETS)
		if err != nil {
			s.t.Fatal(err)
		}
		if mode.Lflag&unix.ECHO == 0 {
			break
		}
		select {
		case <-patience:
			s.t.Fatalf("after %q the terminal shows what is typed", question)
		case <-time.After(time.Millisecond):
		}
	}
	s.answer(question, text)
}

// shows waits until the screen has shown a text.
func (s *terminal) shows(text string) {
	s.t.Helper()
	patience := time.After(time.Minute)
	for !strings.Contains(s.seen.String(), text) {
		select {
		case b := <-s.screen:
			s.seen.Write(b)
		case <-patience:
			s.t.Fatalf("the screen does not show %q:\n%s", text, s.seen.String())
		}
	}
}

// pond is a site of one file that was edited here, with an update of it to be had.
func pond(t *testing.T, s *terminal) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, ".config"))
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("v1/index.php", "one\n")
	write("v2/index.php", "two\n")
	write("site/index.php", "mine\n")
	for _, args := range [][]string{
		{"publish", "init", dir + "/repo", "--quiet"},
		{"publish", "add", dir + "/repo", "--version", "1.0.0", "--tree", dir + "/v1"},
		{"publish", "add", dir + "/repo", "--version", "1.1.0", "--tree", dir + "/v2", "--quiet"},
		{"init", dir + "/site", "--url", "file://" + dir + "/repo/", "--root", dir + "/repo/root.json", "--version", "1.0.0", "--quiet"},
	} {
		if code, _ := s.run(args...)(); code != 0 {
			t.Fatalf("moult %s: exit %d", args, code)
		}
	}
	return dir + "/site"
}

func TestProgressOnATerminalIsOneLineThatIsDrawnAgain(t *testing.T) {
	s := newTerminal(t)
	pond(t, s)
	s.shows("Added 1.0.0")
	shown, _, _ := strings.Cut(s.seen.String(), "Added")
	if strings.Contains(shown, "\n") {
		t.Errorf("progress took more than a line: %q", shown)
	}
	frames := strings.Split(shown, "\r\x1b[K")
	if len(frames) < 3 || frames[len(frames)-1] != "" {
		t.Fatalf("the line was not drawn and removed: %q", shown)
	}
	for _, frame := range frames {
		if len([]rune(frame)) >= 60 {
			t.Errorf("a line of the terminal has no room for %q", frame)
		}
	}
}

func TestWhatIsPrintedStandsOnALineOfItsOwn(t *testing.T) {
	s := newTerminal(t)
	dir := pond(t, s)
	ended := make(chan int, 1)
	go func() {
		p := &cli.Program{Stdin: s.line, Stdout: s.line, Stderr: s.line, Version: "1.0.0"}
		ended <- p.Run([]string{"update", dir, "--on-edited", "new"})
	}()
	s.shows("[Y/n]")
	for _, text := range []string{"site  1.0.0 → 1.1.0", "Update site from"} {
		s.startsALine(text)
	}
	s.answer("[Y/n]", "y")
	s.shows("The site is at 1.1.0.")
	s.startsALine("The site is at 1.1.0.")
	if code := <-ended; code != 0 {
		t.Errorf("exit %d", code)
	}

	ended = make(chan int, 1)
	go func() {
		p := &cli.Program{Stdin: s.line, Stdout: s.line, Stderr: s.line, Version: "1.0.0"}
		ended <- p.Run([]string{"plan", dir, "--to", "9.9.9"})
	}()
	s.shows("moult: ")
	s.startsALine("moult: ")
	<-ended
}

// startsALine fails where the screen shows text behind something else.
func (s *terminal) startsALine(text string) {
	s.t.Helper()
	before, _, _ := strings.Cut(s.seen.String(), text)
	if !strings.HasSuffix(before, "\n") && !strings.HasSuffix(before, "\r\x1b[K") {
		s.t.Errorf("%q is shown behind %q", text, before[max(0, len(before)-40):])
	}
}

func TestQuestionsAreAskedOnATerminal(t *testing.T) {
	s := newTerminal(t)
	dir := pond(t, s)
	wait := s.run("update", dir)
	s.answer("index.php was edited here. keep, new, both", "perhaps")
	s.answer("Please answer keep, new, both", "n")
	s.answer("from 1.0.0 to 1.1.0? [Y/n]", "no")
	s.shows("Please answer y, n.")
	s.answer("[Y/n]", "n")
	s.shows("Nothing on the site has changed.")
	if code, _ := wait(); code != 0 {
		t.Errorf("saying no exits with %d", code)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "index.php")); string(text) != "mine\n" {
		t.Errorf("index.php is %q", text)
	}

	wait = s.run("update", dir, "--on-edited", "new")
	s.answer("[Y/n]", "")
	if code, out := wait(); code != 0 || !strings.Contains(out, "The site is at 1.1.0.") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestSayingNoToALaterHopTellsOfTheFirst(t *testing.T) {
	s := newTerminal(t)
	dir := pond(t, s)
	base := filepath.Dir(dir)
	if code, _ := s.run("publish", "add", base+"/repo", "--version", "1.2.0", "--tree", base+"/v1", "--stop", "1.1.0", "--quiet")(); code != 0 {
		t.Fatalf("publish add: exit %d", code)
	}
	wait := s.run("update", dir, "--on-edited", "new")
	s.answer("from 1.0.0 to 1.1.0? [Y/n]", "y")
	s.answer("from 1.1.0 to 1.2.0? [Y/n]", "n")
	s.shows("The site is at 1.1.0.")
	if code, _ := wait(); code != 0 || strings.Contains(s.seen.String(), "Nothing on the site") {
		t.Errorf("exit %d: %s", code, s.seen.String())
	}
}

func TestTheQuestionBeforeALossSaysHowMuch(t *testing.T) {
	s := newTerminal(t)
	dir := pond(t, s)
	repo := filepath.Join(filepath.Dir(dir), "repo")
	for _, args := range [][]string{
		{"update", dir, "--on-edited", "new", "--yes", "--quiet"},
		{"publish", "add", repo, "--version", "1.2.0", "--tree", filepath.Join(filepath.Dir(dir), "v1"), "--quiet"},
		{"update", dir, "--yes", "--quiet"},
	} {
		if code, out := s.run(args...)(); code != 0 {
			t.Fatalf("moult %s: exit %d: %s", args, code, out)
		}
	}
	_, list := s.run("history", dir)()
	lines := strings.Split(strings.TrimSpace(list), "\n")
	oldest, _, _ := strings.Cut(lines[len(lines)-1], " ")
	newest, _, _ := strings.Cut(lines[0], " ")
	wait := s.run("discard", dir, newest, "--json")
	s.answer("Remove the restore point and 1 older one for good?", "")
	if _, out := wait(); !strings.Contains(out, `"discarded": null`) {
		t.Errorf("no answer to the question what to discard gives %s", out)
	}
	wait = s.run("rollback", dir)
	s.answer("Roll site back from 1.2.0 to 1.1.0? [Y/n]", "n")
	wait()
	wait = s.run("rollback", dir, oldest)
	s.answer("Roll site back from 1.2.0 to 1.0.0? 2 updates are undone. [Y/n]", "y")
	if code, out := wait(); code != 0 || !strings.Contains(out, "The site is back at 1.0.0.") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestAnAnswerThatProvesNothingIsAQuestion(t *testing.T) {
	s := newTerminal(t)
	dir := pond(t, s)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer web.Close()
	f, err := os.OpenFile(filepath.Join(dir, ".moult", "site.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(f, "\n[health]\nurl = '%s'\nattempts = 1\n", web.URL)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ answer, version string }{{"back", "1.0.0"}, {"keep", "1.1.0"}} {
		wait := s.run("update", dir, "--on-edited", "new")
		s.answer("[Y/n]", "y")
		s.answer("keep the update, or go back?", c.answer)
		if code, out := wait(); code != 0 {
			t.Fatalf("exit %d: %s", code, out)
		}
		is, err := site.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		state, err := is.State()
		if is.Close(); err != nil || state.Version.Compare(mustParse(t, c.version)) != 0 {
			t.Errorf("after %s the site is at %s, %v", c.answer, state.Version, err)
		}
	}
}

func mustParse(t *testing.T, text string) release.Version {
	t.Helper()
	v, err := release.ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAPassphraseIsNotShown(t *testing.T) {
	s := newTerminal(t)
	dir := t.TempDir()
	wait := s.run("publish", "init", dir+"/repo", "--passphrase")
	for range 4 {
		s.whisper("Passphrase of ", "quack")
	}
	if code, _ := wait(); code != 0 {
		t.Fatalf("exit %d", code)
	}
	s.shows("Made ")
	if strings.Contains(s.seen.String(), "quack") {
		t.Errorf("the screen shows the passphrase: %q", s.seen.String())
	}
}
