(** Integers packed into one hexadecimal literal for each row: Coq reads those four times as fast as a list.

    After a leading 1, every w digits are one entry plus 8 * 16^(w - 1), so that it is not negative. *)
From Coq Require Import List ZArith.
Import ListNotations.
Local Open Scope Z_scope.

Declare Scope packed_scope.
Delimit Scope packed_scope with packed.
Number Notation Number.uint Number.uint_of_uint Number.uint_of_uint : packed_scope.

Fixpoint nibbles (u : Hexadecimal.uint) : list Z :=
  match u with
  | Hexadecimal.Nil => nil
  | Hexadecimal.D0 v => 0 :: nibbles v | Hexadecimal.D1 v => 1 :: nibbles v
  | Hexadecimal.D2 v => 2 :: nibbles v | Hexadecimal.D3 v => 3 :: nibbles v
  | Hexadecimal.D4 v => 4 :: nibbles v | Hexadecimal.D5 v => 5 :: nibbles v
  | Hexadecimal.D6 v => 6 :: nibbles v | Hexadecimal.D7 v => 7 :: nibbles v
  | Hexadecimal.D8 v => 8 :: nibbles v | Hexadecimal.D9 v => 9 :: nibbles v
  | Hexadecimal.Da v => 10 :: nibbles v | Hexadecimal.Db v => 11 :: nibbles v
  | Hexadecimal.Dc v => 12 :: nibbles v | Hexadecimal.Dd v => 13 :: nibbles v
  | Hexadecimal.De v => 14 :: nibbles v | Hexadecimal.Df v => 15 :: nibbles v
  end.

(** The entries of which [left] digits are still to come and [sum] is what the digits so far make. *)
Fixpoint entries (w : nat) (bias : Z) (left : nat) (sum : Z) (digits : list Z) : list Z :=
  match digits with
  | nil => nil
  | d :: rest =>
      let more := 16 * sum + d in
      match left with
      | S (S l) => entries w bias (S l) more rest
      | _ => (more - bias) :: entries w bias w 0 rest
      end
  end.

Definition row (w : nat) (u : Number.uint) : list Z :=
  match u with
  | Number.UIntHexadecimal v => entries w (8 * 16 ^ (Z.of_nat w - 1)) w 0 (tl (nibbles v))
  | Number.UIntDecimal _ => nil
  end.

Example row_of_three : row 2 0x1_7f_80_81%packed = [-1; 0; 1].
Proof. reflexivity. Qed.
