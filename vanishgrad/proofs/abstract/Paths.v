(* T4, the full path expansion.  The derivative of c_T by c_0 is a sum over the ways to get from one to the other:

     F_{T:s_m+1} C_{s_m+1} O_{s_m:r_m} E_{r_m} F_{r_m:s_{m-1}+1} ... C_{s_1+1} O_{s_1:r_1} E_{r_1} F_{r_1:0}

   over all m >= 0 and 0 < r_1 <= s_1 < r_2 <= ... <= s_m < T (the j-th detour leaves the conveyor c at r_j, stays in h
   until s_j and is back in c at s_j + 1).  For the total derivative, where h_0 moves with c_0, also r_1 = 0 is allowed.
   There are Fib(2T-1) of them in the partial derivative and Fib(2T+1) in the total one; one of them is the conveyor
   alone. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Chain Lstm.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* the detours (r_j, s_j), the latest first *)
Notation path := (seq (nat * nat)).

Section Enumeration.
Variable total : bool.

(* p is a path that is in c at time T: a decreasing chain of detours *)
Fixpoint is_path T (p : path) : bool :=
  if p is (r, s) :: q then [&& (~~ total <= r)%N, (r <= s)%N, (s < T)%N & is_path r q] else true.

(* the paths that are in c at T, and those in h at T: the latter left c at r after q *)
Fixpoint listing T : seq path * seq (nat * path) :=
  if T is s.+1 then
    let: (in_c, in_h) := listing s in
    let in_c' := in_c ++ [seq (rq.1, s) :: rq.2 | rq <- in_h] in
    (in_c', in_h ++ [seq (T, q) | q <- in_c'])
  else ([:: [::]], if total then [:: (0%N, [::])] else [::]).

Definition paths T := (listing T).1.
Definition open_paths T := (listing T).2.

Lemma pathsS T : paths T.+1 = paths T ++ [seq (rq.1, T) :: rq.2 | rq <- open_paths T].
Proof. by rewrite /paths /open_paths /=; case: listing. Qed.

Lemma open_pathsS T : open_paths T.+1 = open_paths T ++ [seq (T.+1, q) | q <- paths T.+1].
Proof. by rewrite /paths /open_paths /=; case: listing. Qed.

Lemma mem_listing T :
  (forall p, (p \in paths T) = is_path T p) /\
  (forall r q, ((r, q) \in open_paths T) = [&& (~~ total <= r)%N, (r <= T)%N & is_path r q]).
Proof.
elim: T => [|T [IHc IHh]].
  split=> [[|[r s] q]|r q] //=; first by rewrite !andbF.
  rewrite /open_paths /= leqn0; case: eqP => [->|r0].
    by case: total; rewrite ?in_nil // inE xpair_eqE; case: q => [|[r1 s] q1] //=; rewrite !andbF.
  by case: total; rewrite ?in_nil ?andbF // inE xpair_eqE; move/eqP/negPf: r0 => ->.
have c p : (p \in paths T.+1) = is_path T.+1 p.
  rewrite pathsS mem_cat IHc; case: p => [|[r s] q] //=.
  have -> : ((r, s) :: q \in [seq (rq.1, T) :: rq.2 | rq <- open_paths T]) = (s == T) && ((r, q) \in open_paths T).
    apply/mapP/andP => [[[r' q'] mem [-> -> ->]]|[/eqP-> mem]]; [by []|by exists (r, q)].
  rewrite IHh ltnS [(s <= T)%N]leq_eqVlt; case: eqP => [->|_] /=; last by rewrite orbF.
  by rewrite ltnn !andbF.
split=> // r q; rewrite open_pathsS mem_cat IHh.
have -> : ((r, q) \in [seq (T.+1, q) | q <- paths T.+1]) = (r == T.+1) && (q \in paths T.+1).
  apply/mapP/andP => [[q' mem [-> ->]]|[/eqP-> mem]]; [by []|by exists q].
rewrite c [(r <= T.+1)%N]leq_eqVlt; case: eqP => [->|_] /=; last by rewrite ltnS orbF.
by rewrite ltnn andbF; case: total.
Qed.

Theorem T4_paths_complete T p : (p \in paths T) = is_path T p.
Proof. by case: (mem_listing T). Qed.

Theorem T4_paths_distinct T : uniq (paths T).
Proof.
suff [] : uniq (paths T) /\ uniq (open_paths T) by [].
elim: T => [|T [IHc IHh]]; first by split=> //; rewrite /open_paths /=; case: total.
have [memc memh] := mem_listing T.
have c : uniq (paths T.+1).
  rewrite pathsS cat_uniq IHc map_inj_uniq ?IHh ?andbT => [|[r q] [r' q'] [-> ->] //].
  by apply/hasPn=> _ /mapP[[r q] _ ->]; rewrite /= memc /= ltnn !andbF.
split=> //; rewrite open_pathsS cat_uniq IHh map_inj_uniq ?c ?andbT => [|q q' [] //].
by apply/hasPn=> _ /mapP[q _ ->]; rewrite /= memh ltnn andbF.
Qed.
End Enumeration.

Fixpoint fib n := if n is k.+1 then if k is l.+1 then (fib k + fib l)%N else 1%N else 0%N.

Lemma size_listing total T :
  size (paths total T.+1) = fib (2 * (total + T)).+1 /\ size (open_paths total T.+1) = fib (2 * (total + T)).+2.
Proof.
have step S : size (paths total S.+1) = (size (paths total S) + size (open_paths total S))%N /\
    size (open_paths total S.+1) = (size (open_paths total S) + size (paths total S.+1))%N.
  by rewrite open_pathsS pathsS !size_cat !size_map size_cat size_map.
elim: T => [|T [IHc IHh]]; first by case: total step.
have [-> ->] := step T.+1; have [-> _] := step T.+1.
by rewrite IHc IHh addnS mulnS addnC; split=> //=; rewrite addnC.
Qed.

Theorem T4_path_count T : size (paths false T.+1) = fib (2 * T).+1 /\ size (paths true T) = fib (2 * T).+1.
Proof.
split; first by have [] := size_listing false T.
by case: T => // T; have [] := size_listing true T.
Qed.

Example T4_path_count_6 : (size (paths false 6), size (paths true 6)) = (89, 233)%N.
Proof. by vm_compute. Qed.

Section Expansion.
Variables (R : ringType) (m n p : nat).
Variables (F : nat -> 'M[R]_n) (C : nat -> 'M[R]_(n, m)) (O : nat -> 'M[R]_m) (E : nat -> 'M[R]_(m, n)).
Variables (total : bool) (v : 'M[R]_(n, p)).

Let w := if total then E 0%N *m v else 0.
Let Dh := lstm_dh F C O E w v.
Let Dc := lstm_dc F C O E w v.

Fixpoint weight T (q : path) : 'M[R]_n :=
  if q is (r, s) :: q' then chain F T s.+1 *m C s.+1 *m chain O s r *m E r *m weight r q' else chain F T 0.

Lemma weightS T q : is_path total T q -> weight T.+1 q = F T.+1 *m weight T q.
Proof.
case: q => [_|[r s] q /and4P[_ _ sT _]]; first exact: chainS.
by rewrite [LHS]/= -/(chain F T.+1 s.+1) chainS // !mulmxA.
Qed.

Lemma expansion T :
  Dc T = \sum_(q <- paths total T) weight T q *m v /\
  Dh T = \sum_(rq <- open_paths total T) chain O T rq.1 *m E rq.1 *m weight rq.1 rq.2 *m v.
Proof.
elim: T => [|T [IHc IHh]].
  rewrite /paths /= big_seq1 mul1mx; split=> //; rewrite /Dh /open_paths /= /w.
  by case: total; rewrite ?big_nil // big_seq1 mul1mx mulmx1.
have [memc memh] := mem_listing total T.
have c : Dc T.+1 = \sum_(q <- paths total T.+1) weight T.+1 q *m v.
  rewrite /Dc lstm_dcS -/(Dc T) -/(Dh T) IHc IHh !mulmx_sumr pathsS big_cat big_map /=.
  congr (_ + _); first by apply: eq_big_seq => q; rewrite memc => /weightS->; rewrite mulmxA.
  by apply: eq_bigr => rq _; rewrite ltnn mul1mx !mulmxA.
split=> //; rewrite /Dh lstm_dhS -/(Dc T.+1) -/(Dh T) c IHh !mulmx_sumr open_pathsS big_cat big_map.
congr (_ + _); last by apply: eq_bigr => q _; rewrite chain_id mul1mx mulmxA.
by apply: eq_big_seq => -[r q]; rewrite memh => /and3P[_ rT _]; rewrite chainS // !mulmxA.
Qed.

Theorem T4_paths T : Dc T = \sum_(q <- paths total T) weight T q *m v.
Proof. by case: (expansion T). Qed.
End Expansion.
