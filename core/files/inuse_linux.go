package files

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"moult/core/release"
	"moult/core/site"
)

// inUse lists the directories of a site that a process has as its working or root
// directory, or that are mounted somewhere in any process's view, as a container
// does with a volume. Whoever holds a directory that way would not notice that
// another has taken its place. sure is false when not all processes can be asked.
func inUse(site string) (dirs []release.Path, sure bool) {
	site, err := filepath.EvalSymlinks(site) // as /proc names directories
	if err != nil {
		return nil, false
	}
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return nil, false
	}
	u := usage{site: site, seen: map[string]bool{}, sure: true}
	if u.inFS, err = pathInFileSystem(site); err != nil {
		return nil, false
	}
	for _, p := range processes {
		// init works in no site, and its mounts are those of this process or of its
		// host; it may have rights that keep even root from looking.
		if n, err := strconv.Atoi(p.Name()); err == nil && n > 1 {
			u.process("/proc/" + p.Name())
		}
	}
	return u.dirs, u.sure
}

// usage collects what processes hold of a site.
type usage struct {
	site, inFS string
	seen       map[string]bool // mount namespaces
	dirs       []release.Path
	sure       bool
}

func (u *usage) process(proc string) {
	for _, link := range []string{"cwd", "root"} {
		target, err := os.Readlink(proc + "/" + link)
		if err != nil {
			u.doubt(err)
			continue
		}
		u.add(u.site, target)
	}
	namespace, err := os.Readlink(proc + "/ns/mnt")
	if err != nil {
		u.doubt(err)
		return
	}
	if u.seen[namespace] {
		return
	}
	u.seen[namespace] = true
	mounts, err := readMounts(proc + "/mountinfo")
	if err != nil {
		u.doubt(err)
		return
	}
	for _, m := range mounts {
		u.add(u.inFS, m.root)
		u.add(u.site, m.point)
	}
}

// doubt notes that a process could not be asked. One that has ended, or is a thread
// of the kernel, has nothing to say.
func (u *usage) doubt(err error) {
	if errors.Is(err, fs.ErrPermission) {
		u.sure = false
	}
}

func (u *usage) add(base, target string) {
	rel, err := filepath.Rel(base, target)
	if err != nil || rel == "." || !filepath.IsLocal(rel) {
		return
	}
	u.dirs = append(u.dirs, release.Path(filepath.ToSlash(rel)))
}

// mountsIn lists the directories of a site on which something is mounted, as this
// process sees it, sorted.
func mountsIn(s *site.Site) ([]release.Path, error) {
	dir, err := filepath.EvalSymlinks(s.Dir)
	if err != nil {
		return nil, err
	}
	mounts, err := readMounts("/proc/self/mountinfo")
	if missing(err) {
		return nil, nil // no /proc here
	}
	if err != nil {
		return nil, err
	}
	u := usage{}
	for _, m := range mounts {
		u.add(dir, m.point)
	}
	var dirs []release.Path
	for _, at := range u.dirs {
		if info, err := s.Root.Lstat(string(at)); err == nil && info.IsDir() && !at.Within(site.Home) {
			dirs = append(dirs, at)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs), nil
}

// mount is one line of mountinfo: proc_pid_mountinfo(5).
type mount struct {
	root  string // the directory of the file system that is mounted
	point string // where
}

func readMounts(name string) ([]mount, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var mounts []mount
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 {
			mounts = append(mounts, mount{root: escapes.Replace(fields[3]), point: escapes.Replace(fields[4])})
		}
	}
	return mounts, lines.Err()
}

// escapes are how mountinfo writes blanks and backslashes.
var escapes = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// pathInFileSystem translates a path as this process sees it to the path in the
// file system that it is on: what the root field of mounts elsewhere refers to.
func pathInFileSystem(dir string) (string, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	mounts, err := readMounts("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	best := mount{}
	for _, m := range mounts {
		if rel, err := filepath.Rel(m.point, dir); err == nil && filepath.IsLocal(rel) && len(m.point) >= len(best.point) {
			best = m
		}
	}
	rel, err := filepath.Rel(best.point, dir)
	if err != nil {
		return "", err
	}
	return filepath.Join(best.root, rel), nil
}
