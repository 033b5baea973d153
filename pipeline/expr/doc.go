// Package expr builds typed expressions over the columns of an event.
//
// A column is the address of a field, so the compiler knows its type and an editor can rename it:
//
//	var p Payment
//	amount := expr.Col(&p.Amount)
//	abroad := expr.NotEqual(expr.Col(&p.Country), expr.Col(&p.Home))
//	large := expr.And(amount.Gt(100), abroad)
//
// Methods take constants, functions take expressions. Expr[T] is an expression of Go type T; what an engine runs is the
// closed tree of Nodes beneath it.
//
// Invariants:
//
//  1. Any column but the key, the time and the id may be null, so any expression may be. An operation on a null is null,
//     except IsNull, IfNull, If (its condition: null is not true), And and Or (three-valued, as in SQL).
//  2. NaN is greater than every number and equals itself; −0 equals +0. Text compares by its bytes, false before true.
//  3. Whole numbers are 64 bits wide inside. An operation whose result does not fit makes the whole record invalid: it is
//     dead-lettered, never wrapped. So does an int32 argument of a Call that is none. A whole number divided by zero is
//     null; a float divided by zero is IEEE 754's answer.
//  4. A function passed to Call must depend on its arguments alone. It enters the plan's hash by its name and version.
package expr
