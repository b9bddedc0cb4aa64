package files

import (
	"errors"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"moult/core/release"
	"moult/core/site"
)

// A file can be swapped only with one on its own file system. Where another is mounted
// on a directory of the site, the update keeps an outpost in that directory: what is
// changed below it is copied to the outpost, staged there, and swapped there.

// postName is what paths in the update's directory call the outpost of a mount.
func postName(mount int) string { return "post-" + strconv.Itoa(mount) }

// postOf returns the name of the outpost from which a path is changed; "" is the
// update's own directory.
func (p *Plan) postOf(changed release.Path) string {
	best := -1
	for i, m := range p.Mounts {
		if changed.Within(m) && changed != m && (best < 0 || len(m) > len(p.Mounts[best])) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return postName(best)
}

// chooseMounts names the mounted directories in which something changes.
func (pl *planner) chooseMounts() {
	changed := map[release.Path]bool{}
	for _, e := range pl.plan.Entries {
		if e.Change == Same || e.Change == Keep {
			continue
		}
		nearest := release.Path("")
		for _, m := range pl.mounts {
			if e.Path.Within(m) && e.Path != m && len(m) > len(nearest) {
				nearest = m
			}
		}
		if nearest != "" {
			changed[nearest] = true
		}
	}
	for m := range changed {
		pl.plan.Mounts = append(pl.plan.Mounts, m)
	}
	slices.Sort(pl.plan.Mounts)
}

// openUpdate returns a tree of the update's directory in which the outposts that were
// made have their names.
func openUpdate(u *site.Update, p *Plan) (*tree, error) {
	t := newTree(u.Root)
	for i, m := range p.Mounts {
		root, err := u.Outpost(m)
		if missing(err) {
			continue
		}
		if err != nil {
			t.closePosts()
			return nil, err
		}
		if t.posts == nil {
			t.posts = map[string]*os.Root{}
		}
		t.posts[postName(i)] = root
	}
	return t, nil
}

// closePosts closes the outposts of a tree that [openUpdate] made.
func (t *tree) closePosts() {
	for _, root := range t.posts {
		root.Close()
	}
}

// barrier makes all changes so far durable, in the outposts too.
func (t *tree) barrier() error {
	errs := []error{site.Barrier(t.base.root)}
	for _, root := range t.posts {
		errs = append(errs, site.Barrier(root))
	}
	return errors.Join(errs...)
}

// homes are the directories in which files are staged: that of the update, which is
// "", and the outposts.
func (p *Plan) homes() []string {
	homes := make([]string, 1, 1+len(p.Mounts))
	for i := range p.Mounts {
		homes = append(homes, postName(i))
	}
	return homes
}

// mountOf returns the directory in which an outpost is.
func (p *Plan) mountOf(home string) release.Path {
	return p.Mounts[slices.Index(p.homes(), home)-1]
}

// inSite translates a place in the update's directory to the root in which it is.
func inSite(s *site.Site, u *site.Update, p *Plan, at string) place {
	post, rest, _ := strings.Cut(at, "/")
	i := slices.Index(p.homes(), post)
	if i <= 0 {
		return place{u.Root, at}
	}
	return place{s.Root, path.Join(string(p.Mounts[i-1]), site.OutpostPrefix+u.ID, rest)}
}
