package update

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"runtime/debug"
	"strings"

	"moult/core/site"
)

// maxBundled bounds one file of a diagnostics bundle, in bytes; of longer ones
// the end is taken, where the trouble is.
const maxBundled = 8 << 20

// bundled are the files of an update that tell its story.
var bundled = []string{planFile, intakeFile, resultFile, logFile, site.JournalFile}

// Bundle writes a zip for whoever helps: configuration, state, plans, journals and
// logs of the site, with secrets removed. Contents of the site's own files are not
// in it.
func (e *Engine) Bundle(ctx context.Context, w io.Writer) error {
	z := zip.NewWriter(w)
	add := func(name string, text []byte) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: e.opts.Now()})
		if err != nil {
			return err
		}
		_, err = f.Write(redact(text))
		return err
	}
	err := func() error {
		cfg, err := e.site.Config.Encode()
		if err != nil {
			return err
		}
		if err := add("site.toml", cfg); err != nil {
			return err
		}
		st, err := e.site.State()
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(st, "", "  ")
		if err != nil {
			return err
		}
		if err := add("state.json", text); err != nil {
			return err
		}
		if info, ok := debug.ReadBuildInfo(); ok {
			if err := add("moult.txt", []byte(info.String())); err != nil {
				return err
			}
		}
		if err := e.addServer(ctx, add); err != nil {
			return err
		}
		return e.eachUpdate(func(u *site.Update, _ life) error {
			for _, name := range bundled {
				text, err := tail(u.Root.FS(), name)
				if err == nil {
					err = add("updates/"+u.ID+"/"+name, text)
				}
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("%s of update %s: %w", name, u.ID, err)
				}
			}
			return nil
		})
	}()
	if err != nil {
		return classify(StageCheck, err)
	}
	return z.Close()
}

// addServer notes what the database server is, or why it can't be reached.
func (e *Engine) addServer(ctx context.Context, add func(string, []byte) error) error {
	db, err := e.connect(ctx)
	switch {
	case err != nil:
		return add("database.txt", []byte(err.Error()+"\n"))
	case db == nil:
		return nil
	}
	defer db.Close()
	return add("database.txt", []byte(db.Flavor().String()+"\n"))
}

// tail reads the last maxBundled bytes of a file.
func tail(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if seeker, ok := f.(io.Seeker); ok && info.Size() > maxBundled {
		if _, err := seeker.Seek(-maxBundled, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(f, maxBundled))
}

// secrets finds what looks like a secret in configuration, logs and statements:
// a key that names one with its value, the password in an address, and what
// follows IDENTIFIED BY in SQL.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|token|api[_-]?key|authorization)[a-z0-9_-]*\\?["']?\s*[:=]\s*)(\\?"(?:[^"\\]|\\[^"])*\\?"|'[^']*'|[^\s,;&"']+)`),
	regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|token)\s+)([^\s,;&"':=\[][^\s,;&"']*)`),
	regexp.MustCompile(`([a-z][a-z0-9+.-]*://[^/\s:@"']*:)([^@\s/"']+)@`),
	regexp.MustCompile(`(?i)(identified\s+(?:with\s+\w+\s+)?(?:by|as)\s+(?:password\s+)?)(\\?'[^']*'|\\?"[^"]*")`),
}

// redact removes secrets from a text.
func redact(text []byte) []byte {
	s := string(text)
	for _, re := range secrets {
		s = re.ReplaceAllStringFunc(s, func(m string) string {
			sub := re.FindStringSubmatch(m)
			end := ""
			if strings.HasSuffix(m, "@") {
				end = "@"
			}
			return sub[1] + "[removed]" + end
		})
	}
	return []byte(s)
}
