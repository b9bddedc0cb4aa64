package update

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"moult/core/archive"
	"moult/core/delta"
	"moult/core/fetch"
	"moult/core/schema/parse"
	"moult/core/site"
	"moult/core/trust"
)

// databaseError marks what the database made fail.
type databaseError struct{ error }

// Unwrap returns the cause.
func (e databaseError) Unwrap() error { return e.error }

// asDatabase marks err, if there is one, as the database's.
func asDatabase(err error) error {
	if err == nil {
		return nil
	}
	return databaseError{err}
}

// passwordError marks that the database's password was not to be had.
type passwordError struct{ error }

// Unwrap returns the cause.
func (e passwordError) Unwrap() error { return e.error }

// classify gives err a kind, unless it has one. The first row that fits decides,
// so that a cause that is known exactly wins over the stage in which it showed.
func classify(stage Stage, err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return &Error{Kind: kindOf(stage, err), Stage: stage, Err: err}
}

func kindOf(stage Stage, err error) Kind {
	for _, row := range []struct {
		is   func(error) bool
		kind Kind
	}{
		{is[*site.LockedError], KindLocked},
		{target(context.Canceled), KindCancelled},
		{target(syscall.ENOSPC), KindDiskFull},
		{target(syscall.EDQUOT), KindDiskFull},
		{target(trust.ErrExpired), KindExpired},
		{target(trust.ErrSignature), KindSignature},
		{target(fetch.ErrHash), KindHash},
		{target(trust.ErrUntrusted), KindUntrusted},
		{target(trust.ErrCertificate), KindSignature},
		{target(archive.ErrRefused), KindExtraction},
		{target(delta.ErrMalformed), KindExtraction},
		{is[*parse.Error], KindMalformed},
		{is[*site.ConfigError], KindMalformed},
		{target(errMalformed), KindMalformed},
		{target(errDisagree), KindVerification},
		{target(errVerification), KindVerification},
		{is[hookError], KindHook},
		{is[errUnhealthy], KindUnhealthy},
		{is[passwordError], KindPassword},
		{is[databaseError], KindDatabase},
		{is[*fetch.StatusError], KindHTTP},
		{target(fs.ErrPermission), KindPermission},
		{target(fetch.ErrAddress), KindMalformed},
		{is[*fetch.ReadError], KindDownload},
	} {
		if row.is(err) {
			if row.kind == KindDatabase && (stage == StageExpand || stage == StageContract || stage == StageScripts) {
				return KindMigration
			}
			if row.kind == KindVerification && stage == StageRollBack {
				return KindRollbackFailed // the release has nothing to do with it
			}
			return row.kind
		}
	}
	_, onDisk := errors.AsType[*fs.PathError](err)
	missing := errors.Is(err, fs.ErrNotExist)
	switch stage {
	case StageCheck:
		if missing && onDisk {
			return KindPath
		}
		if missing {
			return KindNotOffered
		}
	case StageDownload:
		if !onDisk {
			return KindDownload
		}
	case StageExtract:
		return KindExtraction
	case StageFiles:
		return KindAtomic
	}
	return KindIO
}

// is reports whether an error of type T is in the chain.
func is[T error](err error) bool {
	var t T
	return errors.As(err, &t)
}

// target makes a test for a sentinel.
func target(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) }
}
