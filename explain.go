package edged

import "errors"

type explained struct {
	error
	cause, remedy string
}

func (e *explained) Unwrap() error { return e.error }

// Explain attaches to err what a sentence of status says of it: the cause in a few words, as in "401 since 10:02", and what to
// do about it, as in "check token_file"; "" if there is nothing to do. A nil err stays nil.
func Explain(err error, cause, remedy string) error {
	if err == nil {
		return nil
	}
	return &explained{err, cause, remedy}
}

// Explanation returns what Explain attached, outermost first. Of an error without one it is the whole text, and no remedy.
func Explanation(err error) (cause, remedy string) {
	var e *explained
	if errors.As(err, &e) {
		return e.cause, e.remedy
	}
	return err.Error(), ""
}
