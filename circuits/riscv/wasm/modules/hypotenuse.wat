;; Accepts if a right triangle's hypotenuse, in floating point and rounded to the nearest, is the
;; one expected. Indirect calls, a global that the start function sets, and memory that grows.
;;
;; Arguments: the legs, the hypotenuse; the pages by which memory grows first, at most 4.
(module
  (import "tapcourt" "input" (func $input (param i32) (result i32)))
  (type $unary (func (param f64) (result f64)))
  (memory 1 5)
  (table funcref (elem $square $root))
  (global $ready (mut i32) (i32.const 0))
  (func $start (global.set $ready (i32.const 1)))
  (start $start)
  (func $square (type $unary) (f64.mul (local.get 0) (local.get 0)))
  (func $root (type $unary) (f64.sqrt (local.get 0)))
  (func $leg (param $index i32) (result f64)
    (call_indirect (type $unary) (f64.convert_i32_u (call $input (local.get $index))) (i32.const 0)))
  (func (export "accept") (result i32)
    (if (i32.eq (memory.grow (call $input (i32.const 3))) (i32.const -1)) (then (return (i32.const 0))))
    ;; The last word of the last page.
    (f32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (f32.const 0.5))
    (i32.and
      (global.get $ready)
      (i32.eq
        (i32.trunc_f64_u
          (f64.nearest
            (call_indirect (type $unary)
              (f64.add (call $leg (i32.const 0)) (call $leg (i32.const 1)))
              (i32.const 1))))
        (call $input (i32.const 2))))))
