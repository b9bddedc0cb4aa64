package app

import (
	"context"
	"log/slog"
	"time"

	"fyne.io/fyne/v2/data/binding"

	"moult/core/files"
	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

// feedInterval is how often the running screen is drawn anew.
const feedInterval = 100 * time.Millisecond

// session drives one site: it owns the model, the engine and the worker. All its
// fields belong to Fyne's thread; workers get copies of what they need and bring
// their results back by [threads.do].
type session struct {
	threads  *threads
	deps     Deps
	ask      AskPassword
	log      *slog.Logger
	model    Model
	engine   Engine
	progress binding.Item[Progress]
	stop     context.CancelFunc // nil while no worker runs
	again    bool               // plan again when the worker has ended
	wish     func()             // what the admin asked for during a quiet check; nil: nothing

	// changed is called after every event with what was and what is.
	changed func(before, after Model)
}

func newSession(t *threads, deps Deps, dir string, ask AskPassword) *session {
	s := &session{threads: t, deps: deps, ask: ask, log: deps.Logger, progress: binding.NewItem(same), changed: func(_, _ Model) {}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("site", dir)
	s.model = Model{Dir: dir, State: update.Idle, Doing: OpeningSite}
	s.progress.AddListener(binding.NewDataListener(func() {
		if p, err := s.progress.Get(); err == nil && p.Seq > 0 && s.model.Doing != None {
			s.send(progressed{p})
		}
	}))
	return s
}

func (s *session) send(e event) {
	before := s.model
	s.model = reduce(before, e)
	s.changed(before, s.model)
}

// busy reports whether a worker runs that the admin has to wait for. A quiet check
// is none.
func (s *session) busy() bool { return s.model.Doing != None && s.model.Doing != CheckingQuietly }

// deferred reports whether a quiet check runs. If so it is told to stop, and do
// is called as soon as it has: nobody waits for what nobody asked for.
func (s *session) deferred(do func()) bool {
	if s.model.Doing != CheckingQuietly {
		return false
	}
	s.wish = do
	s.stop()
	return true
}

// work runs job on a worker and finish with its result on Fyne's thread. The
// caller has made sure that no worker runs.
func (s *session) work(a Activity, job func(context.Context, Engine, update.Report) event) {
	ctx, cancel := context.WithCancel(s.threads.ctx)
	s.stop = cancel
	t := newTracker(stagesOf(a), time.Now())
	s.send(begun{a})
	_ = s.progress.Set(t.snapshot())
	feed := NewFeed(feedInterval, t.snapshot, func(p Progress) {
		s.threads.do(func() {
			if s.model.Doing == a {
				_ = s.progress.Set(p)
			}
		})
	})
	engine := s.engine
	s.threads.run(func() {
		defer cancel()
		result := job(ctx, engine, func(e update.Event) {
			t.report(e)
			feed.Poke()
		})
		feed.Close()
		last := t.snapshot()
		s.threads.do(func() {
			s.stop = nil
			if last.Seq > 0 {
				s.send(progressed{last})
			}
			s.send(result)
			s.next()
		})
	})
}

// next starts what was put off while a worker ran.
func (s *session) next() {
	if s.again && s.model.State == update.Ready {
		s.replan()
	}
	s.again = false
	if wish := s.wish; wish != nil {
		s.wish = nil
		wish()
	}
}

// open opens the engine and reads what happened before.
func (s *session) open() {
	if s.engine != nil {
		return
	}
	s.model.Doing = OpeningSite
	dir := s.model.Dir
	s.threads.run(func() {
		engine, err := s.deps.Open(dir, s.ask)
		if err != nil {
			s.log.Error("open site", "err", err)
			s.threads.do(func() { s.send(broken{err}) })
			return
		}
		found := inspect(engine, s.log)
		s.threads.do(func() {
			s.engine = engine
			s.send(found)
		})
	})
}

// inspect reads what the screens show of a site at rest.
func inspect(e Engine, log *slog.Logger) opened {
	o := opened{config: e.Config(), current: e.Current(), checked: e.Checked(), skipped: e.Skipped()}
	var err error
	if o.run, err = e.Interrupted(); err != nil {
		log.Error("look for an interrupted run", "err", err)
	}
	if o.history, err = e.History(); err != nil {
		log.Error("read history", "err", err)
	}
	return o
}

// reopen tries to open a site again that could not be opened.
func (s *session) reopen() {
	if s.engine != nil || s.model.Broken == nil {
		return
	}
	s.send(begun{OpeningSite})
	s.open()
}

// check asks for updates.
func (s *session) check() {
	if s.engine == nil || s.busy() || s.model.State == update.Interrupted || s.model.State == update.NeedsAttention {
		return
	}
	if s.deferred(s.check) {
		return
	}
	s.work(CheckingNow, func(ctx context.Context, e Engine, r update.Report) event {
		offer, err := e.Check(ctx, update.Choices{}, r)
		return checked{offer, time.Now(), err}
	})
}

// checkQuietly asks for updates without being asked to. Nothing of it is shown
// but what it finds.
func (s *session) checkQuietly(now func() time.Time) {
	if s.engine == nil || !s.model.AtRest() {
		return
	}
	s.work(CheckingQuietly, func(ctx context.Context, e Engine, _ update.Report) event {
		offer, err := e.Check(ctx, update.Choices{}, nil)
		if err != nil && !cancelled(err) {
			s.log.Info("automatic check", "err", err)
		}
		return noticed{offer, now(), err}
	})
}

// skip lets automatic checks be quiet about a version, with zero about none; then
// is called with what became of it.
func (s *session) skip(v release.Version, then func(error)) {
	if s.engine == nil || s.busy() || s.deferred(func() { s.skip(v, then) }) {
		return
	}
	s.work(Skipping, func(_ context.Context, e Engine, _ update.Report) event {
		err := e.Skip(v)
		s.threads.do(func() { then(err) })
		return skipped{v, err}
	})
}

// review fetches the package of the offer and plans the update.
func (s *session) review() {
	if s.busy() || s.model.State != update.Found || s.deferred(s.review) {
		return
	}
	offer, choices := s.model.Offer, s.model.Choices
	s.work(PreparingNow, func(ctx context.Context, e Engine, r update.Report) event {
		plan, err := e.Prepare(ctx, offer, choices, r)
		return prepared{plan, err}
	})
}

// replan plans again with the choices as they are now, or as soon as the
// planning that is under way has ended.
func (s *session) replan() {
	if s.model.Plan == nil || s.model.State != update.Ready {
		return
	}
	if s.busy() {
		s.again = true
		return
	}
	plan, choices := s.model.Plan, s.model.Choices
	s.work(ReplanningNow, func(ctx context.Context, e Engine, r update.Report) event {
		next, err := e.Replan(ctx, plan, choices, r)
		return prepared{next, err}
	})
}

// choose answers for an edited file.
func (s *session) choose(p release.Path, c files.Choice) {
	if s.model.State != update.Ready {
		return
	}
	s.send(chosen{p, c})
	s.replan()
}

// confirm answers whether a look-alike is a rename.
func (s *session) confirm(key string, yes bool) {
	if s.model.State != update.Ready {
		return
	}
	s.send(confirmed{key, yes})
	s.replan()
}

// apply does the update that is planned.
func (s *session) apply() {
	if s.busy() || s.model.State != update.Ready || updateButton(s.model).Why != "" {
		return
	}
	plan := s.model.Plan
	s.change(Updating, func(ctx context.Context, e Engine, r update.Report) (*update.Result, error) {
		return e.Apply(ctx, plan, r)
	})
}

// rollBack goes back to before the update with this ID.
func (s *session) rollBack(id string) {
	if s.engine == nil || s.busy() || s.model.State == update.Interrupted || s.deferred(func() { s.rollBack(id) }) {
		return
	}
	s.change(RollingBack, func(ctx context.Context, e Engine, r update.Report) (*update.Result, error) {
		return e.RollBack(ctx, id, r)
	})
}

// recover ends an interrupted run.
func (s *session) recover(d update.Direction) {
	if s.engine == nil || s.busy() {
		return
	}
	activity := RollingBack
	if d == update.Forward {
		activity = Finishing
	}
	s.change(activity, func(ctx context.Context, e Engine, r update.Report) (*update.Result, error) {
		return e.Recover(ctx, d, r)
	})
}

// change runs what changes the site and reads afterwards what has become of it.
func (s *session) change(a Activity, job func(context.Context, Engine, update.Report) (*update.Result, error)) {
	s.work(a, func(ctx context.Context, e Engine, r update.Report) event {
		result, err := job(ctx, e, r)
		if err != nil {
			s.log.Error("run", "err", err)
		}
		now := inspect(e, s.log)
		return ended{result, err, now.current, now.run, now.history}
	})
}

// discard throws a restore point away; then is called with what became of it.
func (s *session) discard(id string, then func(error)) {
	if s.engine == nil || s.busy() || s.deferred(func() { s.discard(id, then) }) {
		return
	}
	s.work(Discarding, func(ctx context.Context, e Engine, _ update.Report) event {
		err := e.Discard(ctx, id)
		if err != nil {
			s.log.Error("discard restore point", "update", id, "err", err)
		}
		s.threads.do(func() { then(err) })
		return discarded{inspect(e, s.log).history, err}
	})
}

// cancel tells the worker to stop at the next safe point.
func (s *session) cancel() {
	if s.stop == nil || s.model.Stopping || stopButton(s.model).Why != "" {
		return
	}
	s.send(stopping{})
	s.stop()
}

// adopt takes over an engine that is open already.
func (s *session) adopt(e Engine) {
	s.engine = e
	s.send(opened{config: e.Config(), current: e.Current(), checked: e.Checked(), skipped: e.Skipped()})
}

// configure saves the settings, and puts the password into the keyring if there
// is a new one; then is called with what became of it.
func (s *session) configure(c site.Config, password string, then func(error)) {
	engine := s.engine
	s.threads.run(func() {
		var err error
		if password != "" {
			c.Database.PasswordFrom, err = s.deps.KeepPassword(c.Database.DSN, password)
		}
		if err == nil {
			err = engine.SaveConfig(c)
		}
		s.threads.do(func() {
			if err == nil {
				s.send(configured{c})
			}
			then(err)
		})
	})
}

// close releases the engine. No worker may run.
func (s *session) close() {
	if s.engine == nil {
		return
	}
	if err := s.engine.Close(); err != nil {
		s.log.Error("close site", "err", err)
	}
	s.engine = nil
}
