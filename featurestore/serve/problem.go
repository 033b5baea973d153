package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// problem is a mistake of the client, or something that went wrong here.
type problem struct {
	status  int
	class   string // of Feast's exception
	message string
}

// The classes of feast.errors that are made of one message or name.
const (
	feastError      = "FeastError"
	viewNotFound    = "FeatureViewNotFoundException"
	serviceNotFound = "FeatureServiceNotFoundException"
	entityNotFound  = "EntityNotFoundException"
)

// Error implements error.
func (p *problem) Error() string { return p.message }

func mistake(format string, args ...any) *problem {
	return &problem{http.StatusUnprocessableEntity, feastError, fmt.Sprintf(format, args...)}
}

// feast is the body from which Feast's SDK makes the exception: a JSON string that holds JSON.
func (p *problem) feast() []byte {
	detail := quoted(struct {
		Module  string `json:"module"`
		Class   string `json:"class"`
		Message string `json:"message"`
	}{"feast.errors", p.class, p.message})
	return quoted(string(detail))
}

// plain is the body of all other errors.
func (p *problem) plain() []byte {
	return quoted(struct {
		Error string `json:"error"`
	}{p.message})
}

func quoted(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings always have a JSON form
	}
	return b
}
