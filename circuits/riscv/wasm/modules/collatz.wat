;; Accepts if a number reaches 1 after so many steps of the Collatz sequence.
;;
;; Arguments: the number (0 traps), the number of steps.
(module
  (import "tapcourt" "input" (func $input (param i32) (result i32)))
  (func $steps (param $number i64) (result i32)
    (local $count i32)
    (if (i64.eqz (local.get $number)) (then unreachable))
    (block $reached
      (loop $next
        (br_if $reached (i64.eq (local.get $number) (i64.const 1)))
        (local.set $number
          (if (result i64) (i32.and (i32.wrap_i64 (local.get $number)) (i32.const 1))
            (then (i64.add (i64.mul (local.get $number) (i64.const 3)) (i64.const 1)))
            (else (i64.shr_u (local.get $number) (i64.const 1)))))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br $next)))
    (local.get $count))
  (func (export "accept") (result i32)
    (i32.eq
      (call $steps (i64.extend_i32_u (call $input (i32.const 0))))
      (call $input (i32.const 1)))))
