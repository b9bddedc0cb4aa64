package files

import (
	"encoding/json"
	"path"
	"strings"

	"moult/core/release"
	"moult/core/site"
)

// oldTree is a directory that an update swapped whole and that its restore point
// keeps. What the update left alone in it has a second name there.
type oldTree struct {
	update *site.Update
	t      *tree
	dir    release.Path // in the site
	place  string       // in the update's directory
}

// oldTreesOf finds them in the journals of the restore points. One whose journal
// can't be read keeps none that is known of.
func oldTreesOf(s *site.Site) []oldTree {
	ids, err := s.Updates()
	if err != nil {
		return nil
	}
	var trees []oldTree
	for _, id := range ids {
		u, err := s.Update(id)
		if err != nil {
			continue
		}
		records, err := u.Records()
		if err != nil {
			records = nil
		}
		for _, r := range records {
			var in intent
			if r.Kind == recordIntent && json.Unmarshal(r.Data, &in) == nil && in.Do == names[swapTree] {
				trees = append(trees, oldTree{update: u, t: newTree(u.Root), dir: release.Path(in.Path), place: step{n: in.N}.staged()})
			}
		}
		if len(trees) == 0 || trees[len(trees)-1].update != u {
			u.Close()
		}
	}
	return trees
}

func closeTrees(trees []oldTree) {
	for i, o := range trees {
		o.t.close()
		if i == len(trees)-1 || trees[i+1].update != o.update {
			o.update.Close()
		}
	}
}

// holds reports whether the restore point has a name of a file.
func (o oldTree) holds(p release.Path, id ident) bool {
	if !p.Within(o.dir) || p == o.dir {
		return false
	}
	info, err := o.t.lstat(path.Join(o.place, strings.TrimPrefix(string(p), string(o.dir)+"/")))
	return err == nil && identOf(info).Inode == id.Inode
}
