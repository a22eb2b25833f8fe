package sight

import "errors"

func decodeStatus(body []byte, from string) (*reading, error) {
	return nil, errors.New("status: " + from + string(body[:0]))
}
