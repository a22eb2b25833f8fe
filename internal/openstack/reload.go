package openstack

import (
	"context"
	"time"
)

// retryRejected is how long the same new credentials are not tried again after they failed. Keystone locks users out who
// fail too often.
const retryRejected = time.Minute

// rejection is a new login that did not work.
type rejection struct {
	fingerprint string
	at          time.Time
	err         error
}

// Reload reads the credentials' files again and signs in anew if their content changed. It is cheap when nothing changed
// and may be called at every refresh: it makes no request then.
//
// Credentials that cannot be read, or that Keystone refuses, change nothing: the session goes on with the old ones, and
// the error says which file is wrong and what to do. They are tried again when the content changes, or after a minute.
func (s *Session) Reload(ctx context.Context) (changed bool, err error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()

	old := s.now()
	if old.fixed {
		return false, nil
	}
	credentials, fingerprint, err := load(s.options)
	if err != nil {
		return false, err
	}
	if fingerprint == old.credentials.fingerprint {
		s.rejected = rejection{}
		return false, nil
	}
	if fingerprint == s.rejected.fingerprint && s.options.Clock.Since(s.rejected.at) < retryRejected {
		return false, s.rejected.err
	}
	fresh, err := s.signIn(ctx, credentials)
	if err != nil {
		s.rejected = rejection{fingerprint: fingerprint, at: s.options.Clock.Now(), err: err}
		return false, err
	}
	s.rejected = rejection{}
	s.mu.Lock()
	s.current = fresh
	s.mu.Unlock()
	old.close()
	fresh.log(ctx, "Signed in to OpenStack with changed credentials")
	return true, nil
}
