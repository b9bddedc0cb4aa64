package publish

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path"
	"strings"
	"time"
)

// Server hands a repository out.
type Server struct {
	URL  string // of the repository, for a site's configuration
	http *http.Server
	done chan error
}

// Serve hands a repository out over HTTP, on 127.0.0.1 and a free port if addr is "". It
// ends with the context or by [Server.Close]. It is meant for trying out, and knows
// ranges and entity tags like the servers it stands for.
func Serve(ctx context.Context, repo, addr string) (*Server, error) {
	if _, err := os.Stat(repo + "/metadata/timestamp.json"); err != nil {
		return nil, fmt.Errorf("%s: %w", repo, ErrNotRepository)
	}
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(repo)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s := &Server{
		URL:  "http://" + l.Addr().String() + "/",
		http: &http.Server{Handler: handler(root), ReadHeaderTimeout: 10 * time.Second},
		done: make(chan error, 1),
	}
	stop := context.AfterFunc(ctx, func() { s.http.Close() })
	go func() {
		err := s.http.Serve(l)
		stop()
		s.done <- errors.Join(ignoreClosed(err), root.Close())
	}()
	return s, nil
}

// Close ends the server and waits for it.
func (s *Server) Close() error {
	s.http.Close()
	return s.Wait()
}

// Wait returns when the server has ended.
func (s *Server) Wait() error {
	err := <-s.done
	s.done <- err // for whoever waits next
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// handler serves files of a repository and no listings, dot files or ways out of it.
func handler(root *os.Root) http.Handler {
	files := http.FileServerFS(root.FS())
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		name := path.Clean(req.URL.Path)
		if strings.HasSuffix(req.URL.Path, "/") || strings.Contains(name, "/.") {
			http.NotFound(w, req)
			return
		}
		if base := path.Base(name); strings.HasPrefix(name, "/targets/") && len(base) > 64 && base[64] == '.' {
			w.Header().Set("ETag", `"`+base[:64]+`"`) // the hash that consistent snapshots put in the name
		}
		files.ServeHTTP(w, req)
	})
}
