package update

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"moult/core/archive"
	"moult/core/fetch"
	"moult/core/site"
	"moult/core/trust"
)

func TestErrorsAreOfTheKindOfTheirCause(t *testing.T) {
	for _, c := range []struct {
		stage       Stage
		err         error
		kind        Kind
		recoverable bool
		rollBack    bool
	}{
		{StageFiles, syscall.ENOSPC, KindDiskFull, true, true},
		{StageFiles, fs.ErrPermission, KindPermission, false, true},
		{StageFiles, errors.New("rename"), KindAtomic, true, true},
		{StageCheck, &fetch.ReadError{Err: errors.New("no route")}, KindDownload, true, false},
		{StageCheck, &fetch.ReadError{Err: fetch.ErrAddress}, KindMalformed, false, false},
		{StageCheck, errors.New("short read"), KindIO, true, true},
		{StageCheck, fs.ErrNotExist, KindNotOffered, false, false},
		{StageCheck, &fs.PathError{Op: "open", Path: "state.json", Err: fs.ErrNotExist}, KindPath, true, true},
		{StageCheck, fs.ErrPermission, KindPermission, false, true},
		{StageDownload, errors.New("stream reset"), KindDownload, true, false},
		{StageDownload, &fs.PathError{Op: "write", Path: "full.part", Err: syscall.EIO}, KindIO, true, true},
		{StagePlan, databaseError{passwordError{fs.ErrNotExist}}, KindPassword, false, false},
		{StageCheck, &fetch.StatusError{Code: 500}, KindHTTP, true, false},
		{StageCheck, trust.ErrExpired, KindExpired, true, false},
		{StageCheck, trust.ErrUntrusted, KindUntrusted, false, false},
		{StageDownload, trust.ErrHash, KindHash, false, false},
		{StageDownload, trust.ErrSignature, KindSignature, false, false},
		{StageDownload, trust.ErrCertificate, KindSignature, false, false},
		{StageExtract, archive.ErrRefused, KindExtraction, true, true},
		{StageExtract, errDisagree, KindVerification, false, false},
		{StageLock, &site.LockedError{}, KindLocked, true, false},
		{StagePlan, databaseError{errors.New("gone")}, KindDatabase, true, true},
		{StageContract, databaseError{errors.New("duplicate")}, KindMigration, true, true},
		{StageExpand, databaseError{context.Canceled}, KindCancelled, true, true},
		{StageAfter, hookError{errors.New("exit 1")}, KindHook, true, true},
		{StageHealth, errUnhealthy{errors.New("500")}, KindUnhealthy, true, true},
		{StageCheckResult, errVerification, KindVerification, false, false},
		{StageRollBack, errVerification, KindRollbackFailed, true, false},
		{StageCommit, errors.New("read"), KindIO, true, true},
	} {
		e := classify(c.stage, fmt.Errorf("something: %w", c.err))
		if e.Kind != c.kind || e.Recoverable() != c.recoverable || e.RollbackRequired() != c.rollBack {
			t.Errorf("%s, %v: kind %q, recoverable %v, roll back %v; want %q, %v, %v",
				c.stage, c.err, e.Kind, e.Recoverable(), e.RollbackRequired(), c.kind, c.recoverable, c.rollBack)
		}
		if again := classify(StageCommit, fmt.Errorf("outer: %w", e)); again != e {
			t.Errorf("%v: classified twice gives %v", c.err, again)
		}
	}
}

func TestEveryKindHasAVerdict(t *testing.T) {
	for _, k := range []Kind{
		KindIO, KindPath, KindPermission, KindDiskFull, KindAtomic, KindDownload, KindHTTP, KindVerification, KindExtraction,
		KindMalformed, KindHash, KindSignature, KindUntrusted, KindExpired, KindUnsupported, KindNoBackup, KindNoSource,
		KindRollbackFailed, KindDatabase, KindMigration, KindHook, KindUnhealthy, KindLocked, KindCancelled, KindUndecided,
		KindBlocked, KindInterrupted, KindNotOffered, KindUnknown, KindPassword,
	} {
		if _, found := verdicts[k]; !found {
			t.Errorf("kind %q has no verdict", k)
		}
	}
}

func TestRedactRemovesSecretsAndNothingElse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`password = "hunter2"`, `password = [removed]`},
		{`{"api_key":"abc","name":"x"}`, `{"api_key":[removed],"name":"x"}`},
		{`curl -H Authorization: Bearer`, `curl -H Authorization: [removed]`},
		{`mysql://wiki:s3cret@db/wiki`, `mysql://wiki:[removed]@db/wiki`},
		{`CREATE USER a IDENTIFIED BY 'x y'`, `CREATE USER a IDENTIFIED BY [removed]`},
		{`UPDATE users SET name = 'ann'`, `UPDATE users SET name = 'ann'`},
		{`dsn = "wiki@tcp(127.0.0.1:3306)/wiki"`, `dsn = "wiki@tcp(127.0.0.1:3306)/wiki"`},
		{`echo --password hunter2 done`, `echo --password [removed] done`},
	} {
		if got := string(redact([]byte(c.text))); got != c.want {
			t.Errorf("redact(%s)\n got %s\nwant %s", c.text, got, c.want)
		}
	}
	if got := string(redact([]byte(`password_from = "file:.env#DB_PASSWORD"`))); !strings.Contains(got, "password_from") {
		t.Errorf("the name of the setting is gone: %s", got)
	}
}

func TestRecommendGoesForwardOnlyWhenEverythingIsVerified(t *testing.T) {
	for _, c := range []struct {
		l         life
		canFinish bool
		want      Direction
	}{
		{life{}, true, Undo},
		{life{verified: true}, true, Forward},
		{life{verified: true}, false, Undo},
		{life{verified: true, undoing: true}, true, Undo},
	} {
		if got, why := recommend(c.l, c.canFinish); got != c.want || why == "" {
			t.Errorf("%+v, can finish %v: %q because %q, want %q", c.l, c.canFinish, got, why, c.want)
		}
	}
}
