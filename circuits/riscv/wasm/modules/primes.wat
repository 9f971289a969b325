;; Accepts if there are so many primes below a limit. The sieve is in memory, of which there is one
;; page: a limit above 65,536 traps.
;;
;; Arguments: the limit, the number of primes.
(module
  (import "tapcourt" "input" (func $input (param i32) (result i32)))
  (memory 1)
  (func $count (param $limit i32) (result i32)
    (local $number i32)
    (local $multiple i32)
    (local $primes i32)
    (local.set $number (i32.const 2))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $number) (local.get $limit)))
        (if (i32.eqz (i32.load8_u (local.get $number)))
          (then
            (local.set $primes (i32.add (local.get $primes) (i32.const 1)))
            (local.set $multiple (i32.add (local.get $number) (local.get $number)))
            (block $struck
              (loop $strike
                (br_if $struck (i32.ge_u (local.get $multiple) (local.get $limit)))
                (i32.store8 (local.get $multiple) (i32.const 1))
                (local.set $multiple (i32.add (local.get $multiple) (local.get $number)))
                (br $strike)))))
        (local.set $number (i32.add (local.get $number) (i32.const 1)))
        (br $next)))
    (local.get $primes))
  (func (export "accept") (result i32)
    (i32.eq
      (call $count (call $input (i32.const 0)))
      (call $input (i32.const 1)))))
