;; Has no function `accept` that can be called without arguments.
(module
  (func (export "accept") (param i32) (result i32) (i32.const 1))
  (func (export "main") (result i32) (i32.const 1)))
