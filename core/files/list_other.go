//go:build !linux

package files

// one lists one directory as eachByName does.
func (l *listing) one(t *tree, rel string) ([]node, []string, error) { return l.eachByName(t, rel) }
