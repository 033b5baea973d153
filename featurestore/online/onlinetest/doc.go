// Package onlinetest is the suite that every online.Store passes, so that a pipeline's features are served the same whatever
// keeps them.
package onlinetest
